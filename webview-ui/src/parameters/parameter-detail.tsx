import type { ParameterRow } from '../../../src/engine/contract';
import { t } from '../l10n';
import { Name } from '../shared/name';
import { exact, humanBytes, percent, shapeText } from '../shared/numbers';
import { visible } from '../shared/text';
import { kindName } from './columns';
import { showParameters } from './query';
import { Statistics } from './statistics';
import { TensorView } from './tensor-view';

/** Everything about one tensor: facts, statistics, values. */
export function ParameterDetail({ row }: { row: ParameterRow }) {
  const tied = row.tiedTo;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{t('Shape and type')}</dt>
          <dd class="mono">
            {shapeText(row.shape)} <span class="dim">{visible(row.dtype)}</span>
          </dd>
        </div>
        <div>
          <dt>{t('Elements')}</dt>
          <dd>
            {exact(row.count)}{' '}
            <span class="dim">
              ({humanBytes(row.bytes)}, {percent(row.share)})
            </span>
          </dd>
        </div>
        <div>
          <dt>{t('Kind')}</dt>
          <dd>
            {kindName(row.kind)}
            {row.requiresGrad === undefined ? null : (
              <span class="dim"> · {row.requiresGrad ? t('requires gradients') : t('no gradients')}</span>
            )}
          </dd>
        </div>
        {row.storage ? (
          <div>
            <dt>{t('Storage')}</dt>
            <dd>
              <Name text={row.storage} mono />
              {row.device ? <span class="dim"> · {visible(row.device)}</span> : null}
              {row.strides ? <span class="dim"> · {t('strides {0}', row.strides.join(', '))}</span> : null}
            </dd>
          </div>
        ) : null}
        {tied === undefined ? null : (
          <div>
            <dt>{t('Shares its values with')}</dt>
            <dd>
              <button type="button" class="link" onClick={() => showParameters({ filter: tied, under: '' })}>
                <Name text={tied} mono />
              </button>
            </dd>
          </div>
        )}
        {row.note ? (
          <div>
            <dt>{t('Note')}</dt>
            <dd>
              <Name text={row.note} />
            </dd>
          </div>
        ) : null}
      </dl>
      {row.readable ? (
        <>
          <Statistics row={row} />
          <TensorView row={row} />
        </>
      ) : (
        <p class="dim">{t('The values of this entry are not in the file, or are no numbers or text.')}</p>
      )}
    </>
  );
}
