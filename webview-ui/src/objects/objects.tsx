import { useEffect, useMemo } from 'preact/hooks';
import type { ObjectRow } from '../../../src/engine/contract';
import { generation, showTab } from '../app/state';
import { t } from '../l10n';
import { showParameters } from '../parameters/query';
import { failureOf, host } from '../rpc';
import { Icon } from '../shared/icons';
import { Name } from '../shared/name';
import { exact } from '../shared/numbers';
import { visible } from '../shared/text';
import { TreeModel } from '../shared/tree-model';
import { TreeView } from '../shared/tree-view';
import { persisted } from '../vscode';

const expanded = persisted<string[]>('objects.expanded', []);
const touched = persisted('objects.touched', false);
const scroll = persisted('objects.scroll', 0);
const REMEMBERED = 2000;

/** What a pickle holds, as Python would show it: types, previews, sharing and cycles. */
export function Objects() {
  const current = generation.value;
  const model = useMemo(() => {
    const open = new Set(expanded.peek());
    return new TreeModel<ObjectRow>(
      {
        children: (path, start, count) => host.objects(path, start, count),
        path: (row) => row.path,
        childCount: (row) => (row.cyclic ? 0 : row.childCount),
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
  return (
    <TreeView
      class="objects"
      model={model}
      label={t('Objects')}
      scroll={scroll}
      searchText={(row) => row.label.replace(/^['"[.]+/, '')}
      onEnter={(row) => openValues(row)}
      cells={(row) => <ObjectCells row={row} />}
      header={
        <div class="tree-header" aria-hidden="true">
          <span class="cell-name">{t('Name and value')}</span>
          <span class="cell-type">{t('Type')}</span>
          <span class="cell-number">{t('Values')}</span>
        </div>
      }
    />
  );
}

function openValues(row: ObjectRow): void {
  if (row.parameter === undefined) return;
  showParameters({ filter: '', under: '', open: row.parameter });
  showTab('parameters');
}

/** A decimal string of any length: with separators, or by its magnitude. */
export function logicalSize(digits: string): string {
  if (!/^\d+$/.test(digits)) return visible(digits);
  if (digits.length <= 12) return exact(Number(digits));
  return `${digits[0]}.${digits.slice(1, 3)}e${digits.length - 1}`;
}

function ObjectCells({ row }: { row: ObjectRow }) {
  return (
    <>
      <span class="cell-name">
        <span class="object-label">
          <Name text={row.label} mono />
        </span>
        <span class="object-preview mono" title={visible(row.preview)}>
          <Name text={row.preview} />
        </span>
        {row.cyclic ? (
          <span class="mark" title={t('Leads back to one of its own parents')}>
            <Icon name="cycle" /> {t('cycle')}
          </span>
        ) : row.sharedWith === undefined ? null : (
          <span
            class="mark"
            title={t('The same object stands in more than one place; first at {0}', visible(row.sharedWith))}
          >
            <Icon name="link" /> {t('shared')}
          </span>
        )}
        {row.parameter === undefined ? null : (
          <button
            type="button"
            class="link"
            tabIndex={-1}
            title={t('Enter shows its values')}
            onClick={(event) => {
              event.stopPropagation();
              openValues(row);
            }}
          >
            {t('show values')}
          </button>
        )}
      </span>
      <span class="cell-type" title={visible(row.type)}>
        <Name text={row.type} mono />
      </span>
      <span class="cell-number dim" title={row.logicalSize}>
        {row.logicalSize === undefined ? '' : logicalSize(row.logicalSize)}
      </span>
    </>
  );
}
