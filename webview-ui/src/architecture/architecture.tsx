import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ModuleRow } from '../../../src/engine/contract';
import { generation } from '../app/state';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { Name } from '../shared/name';
import { exact, humanBytes, humanCount, percent } from '../shared/numbers';
import { Split } from '../shared/split';
import { visible } from '../shared/text';
import { TreeModel } from '../shared/tree-model';
import { TreeView } from '../shared/tree-view';
import { persisted } from '../vscode';
import { ModuleDetail } from './module-detail';
import { ModuleName } from './module-name';

const expanded = persisted<string[]>('architecture.expanded', ['']);
const touched = persisted('architecture.touched', false);
const scroll = persisted('architecture.scroll', 0);
const share = persisted('architecture.share', 0.36);
const chosen = signal<ModuleRow | undefined>(undefined);

/** Most open paths that are remembered. */
const REMEMBERED = 2000;

/** The hierarchy of layers, steps or scopes. */
export function Architecture() {
  const current = generation.value;
  const model = useMemo(() => {
    const open = new Set(expanded.peek());
    return new TreeModel<ModuleRow>(
      {
        children: (path, start, count) => host.modules(path, start, count),
        path: (row) => row.path,
        childCount: (row) => row.childCount,
        failureOf,
      },
      open,
      () => {
        expanded.value = [...open].slice(-REMEMBERED);
        touched.value = true;
      },
      touched.peek() ? 'left' : 'small',
    );
  }, [current]);
  useEffect(() => () => model.dispose(), [model]);
  const [detailOpen, setDetailOpen] = useState(chosen.value !== undefined);
  const row = chosen.value;

  return (
    <Split
      share={share}
      detailLabel={t('Details of the module')}
      detailTitle={row ? <Name text={row.path || row.name || row.kind} mono title /> : undefined}
      detail={row && detailOpen ? <ModuleDetail key={row.path} row={row} /> : undefined}
      onClose={() => setDetailOpen(false)}
    >
      <TreeView
        class="modules"
        model={model}
        label={t('Architecture')}
        scroll={scroll}
        searchText={(module) => module.name || module.kind}
        onActive={(module) => {
          if (!module) return;
          chosen.value = module;
        }}
        onOpen={() => setDetailOpen(true)}
        cells={(module) => <ModuleCells row={module} />}
        header={
          <div class="tree-header" aria-hidden="true">
            <span class="cell-name">{t('Module')}</span>
            <span class="cell-summary">{t('Shapes')}</span>
            <span class="cell-number">{t('Params')}</span>
            <span class="cell-number cell-bytes">{t('Size')}</span>
            <span class="cell-share">{t('Share')}</span>
          </div>
        }
      />
    </Split>
  );
}

function ModuleCells({ row }: { row: ModuleRow }) {
  return (
    <>
      <ModuleName row={row} />
      <span class="cell-summary" title={row.summary ? visible(row.summary) : undefined}>
        {row.summary ? <Name text={row.summary} /> : null}
      </span>
      <span class="cell-number" title={exact(row.parameterCount)}>
        {row.parameterCount > 0 ? humanCount(row.parameterCount) : ''}
        {row.parameterCount > 0 ? <span class="sr-only"> {t('parameters')}</span> : null}
      </span>
      <span class="cell-number cell-bytes dim">{row.bytes > 0 ? humanBytes(row.bytes) : ''}</span>
      <span class="cell-share" title={percent(row.share)}>
        <span class="share-bar">
          <span style={{ width: `${Math.min(1, Math.max(0, row.share)) * 100}%` }} />
        </span>
      </span>
    </>
  );
}
