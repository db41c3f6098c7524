import type { Attribute } from '../../../../src/model/model';
import { t, tn } from '../../l10n';
import { InlineCode } from '../../shared/code';
import { Icon } from '../../shared/icons';
import { Name } from '../../shared/name';
import { persisted } from '../../vscode';

const defaultsOpen = persisted('overview.defaults', false);

/** Hyper-parameters, those that differ from the default first and marked as in the settings editor; then what was learnt. */
export function Attributes({ attributes }: { attributes: Attribute[] }) {
  const parameters = attributes.filter((attribute) => attribute.role === 'parameter');
  const fitted = attributes.filter((attribute) => attribute.role === 'fitted');
  const others = attributes.filter((attribute) => attribute.role !== 'parameter' && attribute.role !== 'fitted');
  const standard = parameters.filter((attribute) => attribute.isDefault === true);
  const chosen = parameters.filter((attribute) => attribute.isDefault !== true);
  return (
    <>
      {parameters.length > 0 ? (
        <section aria-labelledby="hyper-parameters">
          <h2 id="hyper-parameters">{t('Hyper-parameters')}</h2>
          {chosen.length > 0 ? (
            <AttributeList attributes={chosen} />
          ) : (
            <p class="dim">{t('All are at their defaults.')}</p>
          )}
          {standard.length > 0 ? (
            <div class="disclosure">
              <button
                type="button"
                class="disclose"
                aria-expanded={defaultsOpen.value}
                onClick={() => {
                  defaultsOpen.value = !defaultsOpen.value;
                }}
              >
                <Icon name="chevron" />
                {tn(standard.length, '{0} at its default', '{0} at their defaults')}
              </button>
              {defaultsOpen.value ? <AttributeList attributes={standard} /> : null}
            </div>
          ) : null}
        </section>
      ) : null}
      {fitted.length > 0 ? (
        <section aria-labelledby="fitted">
          <h2 id="fitted">{t('Learnt from data')}</h2>
          <AttributeList attributes={fitted} />
        </section>
      ) : null}
      {others.length > 0 ? (
        <section aria-labelledby="attributes">
          <h2 id="attributes">{t('Attributes')}</h2>
          <AttributeList attributes={others} />
        </section>
      ) : null}
    </>
  );
}

/** Shown at once; hostile files can hold any number. */
const SHOWN = 500;

export function AttributeList({ attributes }: { attributes: Attribute[] }) {
  return (
    <>
      <dl class="attributes">
        {attributes.slice(0, SHOWN).map((attribute, i) => (
          <div
            key={i}
            class={attribute.isDefault === false ? 'changed' : attribute.isDefault === true ? 'default' : ''}
            title={attribute.isDefault === false ? t('Differs from the default') : undefined}
          >
            <dt>
              <Name text={attribute.name} mono />
              {attribute.inferred ? <span class="tag">{t('inferred')}</span> : null}
            </dt>
            <dd>
              <InlineCode text={attribute.text} />
            </dd>
          </div>
        ))}
      </dl>
      {attributes.length > SHOWN ? <p class="dim">{t('and {0} more', attributes.length - SHOWN)}</p> : null}
    </>
  );
}
