import type { ModuleRow } from '../../../src/engine/contract';
import { AttributeList } from '../app/overview/attributes';
import { showTab } from '../app/state';
import { t, tn } from '../l10n';
import { showParameters } from '../parameters/query';
import { CopyButton } from '../shared/copy';
import { Icon } from '../shared/icons';
import { Name } from '../shared/name';
import { exact, humanBytes, percent } from '../shared/numbers';
import { visible } from '../shared/text';

const NAMES_SHOWN = 200;

/** Everything about one module: what it is, its attributes, and the parameters it owns. */
export function ModuleDetail({ row }: { row: ModuleRow }) {
  const show = (filter: string): void => {
    showParameters({ filter, under: '' });
    showTab('parameters');
  };
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{t('Kind')}</dt>
          <dd>
            <Name text={row.kind} mono />
            {row.inferredFrom ? <small>{t('Inferred from {0}', visible(row.inferredFrom))}</small> : null}
          </dd>
        </div>
        {row.path ? (
          <div>
            <dt>{t('Path')}</dt>
            <dd class="with-copy">
              <Name text={row.path} mono />
              <CopyButton text={row.path} label={t('Copy the path')} />
            </dd>
          </div>
        ) : null}
        {row.repeated ? (
          <div>
            <dt>{t('Repeated')}</dt>
            <dd>
              {tn(row.repeated.count, '{0} module with the same structure', '{0} modules with the same structure')}
              <small>
                <Name text={row.repeated.first} mono /> … <Name text={row.repeated.last} mono />
              </small>
            </dd>
          </div>
        ) : null}
        {row.summary ? (
          <div>
            <dt>{t('Shapes')}</dt>
            <dd>
              <Name text={row.summary} />
            </dd>
          </div>
        ) : null}
        {row.parameterCount > 0 ? (
          <div>
            <dt>{t('Parameters below')}</dt>
            <dd>
              {exact(row.parameterCount)}{' '}
              <span class="dim">
                ({humanBytes(row.bytes)}, {percent(row.share)})
              </span>
            </dd>
          </div>
        ) : null}
      </dl>
      {row.parameters.length > 0 ? (
        <section>
          <h3>{t('Its own parameters')}</h3>
          <ul class="links">
            {row.parameters.slice(0, NAMES_SHOWN).map((name) => (
              <li key={name}>
                <button type="button" class="link" onClick={() => show(name)}>
                  <Name text={name} mono />
                </button>
              </li>
            ))}
          </ul>
          {row.parameters.length > NAMES_SHOWN ? (
            <p class="dim">{t('and {0} more', row.parameters.length - NAMES_SHOWN)}</p>
          ) : null}
        </section>
      ) : null}
      {row.childCount > 0 && row.parameterCount > 0 && row.path ? (
        <p>
          <button
            type="button"
            class="link"
            onClick={() => {
              showParameters({ filter: '', under: row.path });
              showTab('parameters');
            }}
          >
            {t('All parameters below')} <Icon name="chevron" class="go" />
          </button>
        </p>
      ) : null}
      {row.attributes.length > 0 ? (
        <section>
          <h3>{t('Attributes')}</h3>
          <AttributeList attributes={row.attributes} />
        </section>
      ) : null}
    </>
  );
}
