import { useEffect, useMemo } from 'preact/hooks';
import type { ModuleRow, ParameterRow } from '../../../src/engine/contract';
import { generation } from '../app/state';
import { rangeName } from '../architecture/range-name';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { LongName, Name } from '../shared/name';
import { exact, humanBytes, humanCount, percent, shapeText } from '../shared/numbers';
import { visible } from '../shared/text';
import { TreeModel } from '../shared/tree-model';
import { TreeView } from '../shared/tree-view';
import { persisted } from '../vscode';
import { openRow } from './query';

type Row = { module: ModuleRow } | { parameter: ParameterRow };

const expanded = persisted<string[]>('parameters.expanded', ['m:']);
const scroll = persisted('parameters.groupScroll', 0);
const REMEMBERED = 2000;

/** The same rows, each below the module that owns it. */
export function Grouped({ onOpen }: { onOpen: (row: ParameterRow) => void }) {
  const current = generation.value;
  const model = useMemo(() => {
    const open = new Set(expanded.peek());
    const modules = new Map<string, ModuleRow>();
    return new TreeModel<Row>(
      {
        children: (path, start, count) => childrenOf(modules, path, start, count),
        path: (row) => ('module' in row ? `m:${row.module.path}` : `p:${row.parameter.index}`),
        childCount: (row) => ('module' in row ? row.module.childCount + row.module.parameters.length : 0),
        failureOf,
      },
      open,
      () => {
        expanded.value = [...open].slice(-REMEMBERED);
      },
    );
  }, [current]);
  useEffect(() => () => model.dispose(), [model]);
  return (
    <TreeView
      class="grouped"
      model={model}
      label={t('Parameters by module')}
      scroll={scroll}
      searchText={(row) =>
        'module' in row ? row.module.name || row.module.kind : (row.parameter.name.split('.').at(-1) ?? '')
      }
      onActive={(row) => {
        // An open detail follows the keys.
        if (row && 'parameter' in row && openRow.peek() >= 0) onOpen(row.parameter);
      }}
      onOpen={(row) => {
        if ('parameter' in row) onOpen(row.parameter);
      }}
      cells={(row) => ('module' in row ? <ModuleCells row={row.module} /> : <ParameterCells row={row.parameter} />)}
      header={
        <div class="tree-header" aria-hidden="true">
          <span class="cell-name">{t('Name')}</span>
          <span class="cell-summary">{t('Shape')}</span>
          <span class="cell-number">{t('Elements')}</span>
          <span class="cell-number cell-bytes">{t('Size')}</span>
          <span class="cell-share">{t('Share')}</span>
        </div>
      }
    />
  );
}

/** Modules first, then the parameters that the module itself owns. */
async function childrenOf(
  modules: Map<string, ModuleRow>,
  path: string | null,
  start: number,
  count: number,
): Promise<{ total: number; rows: Row[] }> {
  const owner = path === null ? undefined : modules.get(path);
  const below = owner?.childCount ?? 0;
  const names = owner?.parameters ?? [];
  const rows: Row[] = [];
  let total = below + names.length;
  if (path === null || start < below) {
    const answer = await host.modules(path === null ? null : path.slice(2), start, count);
    if (path === null) total = answer.total;
    for (const module of answer.rows) {
      modules.set(`m:${module.path}`, module);
      rows.push({ module });
    }
  }
  const wanted = names.slice(Math.max(0, start - below), Math.max(0, start + count - below));
  if (wanted.length > 0) {
    const escaped = wanted.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
    const { rows: found } = await host.parameters({
      filter: `/^(?:${escaped.join('|')})$/`,
      start: 0,
      count: wanted.length,
    });
    const byName = new Map(found.map((parameter) => [parameter.name, parameter]));
    for (const name of wanted) {
      const parameter = byName.get(name);
      if (parameter) rows.push({ parameter });
    }
  }
  return { total, rows };
}

function ModuleCells({ row }: { row: ModuleRow }) {
  const name = row.repeated ? rangeName(row.repeated.first, row.repeated.last, row.name) : row.name;
  return (
    <>
      <span class="cell-name" title={visible(row.path)}>
        <span class="module-name strong">
          <Name text={name || row.kind} />
        </span>
        {row.repeated ? <span class="tag">×{exact(row.repeated.count)}</span> : null}
      </span>
      <span class="cell-summary" />
      <Numbers count={row.parameterCount} bytes={row.bytes} share={row.share} />
    </>
  );
}

function ParameterCells({ row }: { row: ParameterRow }) {
  return (
    <>
      <span class="cell-name">
        <LongName text={row.name} />
      </span>
      <span class="cell-summary" title={shapeText(row.shape)}>
        {shapeText(row.shape)} <span class="dim">{visible(row.dtype)}</span>
      </span>
      <Numbers count={row.count} bytes={row.bytes} share={row.share} />
    </>
  );
}

function Numbers({ count, bytes, share }: { count: number; bytes: number; share: number }) {
  return (
    <>
      <span class="cell-number" title={exact(count)}>
        {humanCount(count)}
      </span>
      <span class="cell-number cell-bytes dim">{humanBytes(bytes)}</span>
      <span class="cell-share" title={percent(share)}>
        <span class="share-bar">
          <span style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
        </span>
      </span>
    </>
  );
}
