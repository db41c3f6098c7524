import type { ModuleRow } from '../../../src/engine/contract';
import { t, tn } from '../l10n';
import { LongName, Name } from '../shared/name';
import { exact } from '../shared/numbers';
import { visible } from '../shared/text';
import { rangeName } from './range-name';

/** A module's name, how often it is repeated, and its kind, marked when it is inferred. */
export function ModuleName({ row }: { row: ModuleRow }) {
  return (
    <span class="cell-name" title={visible(row.path)}>
      {row.name ? (
        <span class="module-name">
          <LongName
            text={row.repeated ? rangeName(row.repeated.first, row.repeated.last, row.name) : row.name}
            mono={false}
          />
        </span>
      ) : null}
      {row.repeated ? (
        <span class="tag repeat">
          <span aria-hidden="true">×{exact(row.repeated.count)}</span>
          <span class="sr-only">{tn(row.repeated.count, 'repeated {0} time', 'repeated {0} times')}</span>
        </span>
      ) : null}
      <span
        class={`kind ${row.inferredFrom ? 'inferred' : ''}`}
        title={row.inferredFrom ? t('Inferred from {0}', visible(row.inferredFrom)) : undefined}
      >
        <Name text={row.kind} />
        {row.inferredFrom ? (
          <>
            <span aria-hidden="true">?</span>
            <span class="sr-only"> {t('inferred')}</span>
          </>
        ) : null}
      </span>
    </span>
  );
}
