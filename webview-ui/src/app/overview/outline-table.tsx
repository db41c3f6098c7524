import type { ComponentChildren } from 'preact';
import { t } from '../../l10n';
import { ErrorNote } from '../../shared/error-note';
import { Icon } from '../../shared/icons';
import { useRemote } from '../../shared/remote';
import { showTab, type Tab } from '../state';
import { type OutlineSource, outlineOf } from './outline';

/** Lines shown: a third of a usual editor. */
const LINES = 14;

interface OutlineTableProps<R> {
  id: string;
  title: string;
  source: OutlineSource<R>;
  /** Names of the columns, numbers last. */
  columns: string[];
  /** Cells of a row, the first of which is indented. */
  cells(row: R): ComponentChildren[];
  /** The tab that shows all of it, and what its link says. */
  tab: Tab;
  all: string;
}

/** The beginning of a tree as a table; nothing when the tree has no rows. */
export function OutlineTable<R>({ id, title, source, columns, cells, tab, all }: OutlineTableProps<R>) {
  const outline = useRemote(() => outlineOf(source, LINES), []);
  if (outline.failure) return <ErrorNote failure={outline.failure} retry={outline.retry} />;
  if (!outline.value || outline.value.lines.length === 0) return null;
  const { lines, more } = outline.value;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div class="table-scroll" tabIndex={0} role="group" aria-labelledby={id}>
        <table class={`plain outline outline-${tab}`}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ row, depth }) => (
              <tr key={source.path(row)}>
                {cells(row).map((cell, i) => (
                  <td key={i} style={i === 0 ? { paddingInlineStart: `${depth * 16}px` } : undefined}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="outline-foot">
        {more > 0 ? <span class="dim">{t('and {0} more', more)}</span> : null}
        <button type="button" class="link" onClick={() => showTab(tab)}>
          {all} <Icon name="chevron" />
        </button>
      </p>
    </section>
  );
}
