import type { Overview } from '../../../../src/engine/contract';
import type { Finding, TensorSpec } from '../../../../src/model/model';
import { t } from '../../l10n';
import { CodeBlock } from '../../shared/code';
import { Icon } from '../../shared/icons';
import { Name } from '../../shared/name';
import { exact, hexOffset, humanBytes, humanCount, shapeText } from '../../shared/numbers';
import { visible } from '../../shared/text';
import { overview } from '../state';
import { Attributes } from './attributes';
import { DtypeBar } from './dtype-bar';

/** The first tab: what the file is, in facts. */
export function OverviewTab() {
  const file = overview.value;
  if (!file) return null;
  return (
    <div class="scroll overview">
      <div class="overview-columns">
        <div class="overview-main">
          {file.warnings.length > 0 ? <Notices warnings={file.warnings} /> : null}
          <Attributes attributes={file.attributes} />
          {file.signatures.length > 0 ? <Signatures file={file} /> : null}
          <Snippets file={file} />
        </div>
        <div class="overview-side">
          <Facts file={file} />
          <DtypeBar totals={file.totals} />
        </div>
      </div>
    </div>
  );
}

function Facts({ file }: { file: Overview }) {
  const { totals } = file;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">{t('Facts')}</h2>
      <dl class="facts">
        {file.facts.map((fact, i) => (
          <div key={i}>
            <dt>
              <Name text={fact.label} />
            </dt>
            <dd>
              <Name text={fact.value} />
              {fact.note ? (
                <small>
                  <Name text={fact.note} />
                </small>
              ) : null}
            </dd>
          </div>
        ))}
        {totals.parameters > 0 ? (
          <div>
            <dt>{t('Parameters')}</dt>
            <dd title={exact(totals.parameters)}>
              {humanCount(totals.parameters)} <span class="dim">({humanBytes(totals.bytes)})</span>
            </dd>
          </div>
        ) : null}
        <div>
          <dt>{t('File size')}</dt>
          <dd>
            {humanBytes(file.bytes)} {file.bytes >= 1000 ? <span class="dim">({exact(file.bytes)} B)</span> : null}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Notices({ warnings }: { warnings: Finding[] }) {
  return (
    <section aria-labelledby="notices">
      <h2 id="notices">{t('Notices')}</h2>
      <ul class="notices">
        {warnings.map((warning, i) => (
          <li key={i} class={`notice ${warning.severity}`}>
            <Icon
              name={warning.severity === 'info' ? 'info' : 'warning'}
              class={warning.severity === 'dangerous' ? 'error-mark' : warning.severity === 'info' ? 'info-mark' : 'warning-mark'}
            />
            <div>
              <span>{visible(warning.message)}</span>
              {warning.member || warning.offset !== undefined ? (
                <span class="dim mono"> {[warning.member && visible(warning.member), warning.offset !== undefined && hexOffset(warning.offset)].filter(Boolean).join(' ')}</span>
              ) : null}
              {warning.advice ? <p class="dim">{visible(warning.advice)}</p> : null}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Signatures({ file }: { file: Overview }) {
  return (
    <section aria-labelledby="signatures">
      <h2 id="signatures">{t('Inputs and outputs')}</h2>
      {file.signatures.map((signature) => (
        <div key={signature.name} class="signature">
          <h3>
            <Name text={signature.name} mono />
            {signature.description ? <span class="dim"> {visible(signature.description)}</span> : null}
          </h3>
          <div class="table-scroll" tabIndex={0} role="group" aria-label={signature.name}>
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">{t('Role')}</th>
                  <th scope="col">{t('Name')}</th>
                  <th scope="col">{t('Type')}</th>
                  <th scope="col">{t('Shape')}</th>
                  <th scope="col">{t('Meaning')}</th>
                </tr>
              </thead>
              <tbody>
                {signature.inputs.map((spec) => (
                  <SpecRow key={`in ${spec.name}`} direction={t('input')} spec={spec} />
                ))}
                {signature.outputs.map((spec) => (
                  <SpecRow key={`out ${spec.name}`} direction={t('output')} spec={spec} />
                ))}
              </tbody>
            </table>
          </div>
        </div>
      ))}
    </section>
  );
}

const NAMES_SHOWN = 8;

function SpecRow({ direction, spec }: { direction: string; spec: TensorSpec }) {
  const names = spec.features ?? spec.labels ?? [];
  const listed = names.slice(0, NAMES_SHOWN).map(visible).join(', ');
  const more = names.length > NAMES_SHOWN ? ` ${t('and {0} more', names.length - NAMES_SHOWN)}` : '';
  return (
    <tr>
      <td class="dim">{direction}</td>
      <td>
        <Name text={spec.name} mono />
      </td>
      <td class="mono">{visible(spec.dtype)}</td>
      <td class="mono nowrap">{spec.shape ? shapeText(spec.shape) : t('any')}</td>
      <td>
        {spec.meaning ? visible(spec.meaning) : null}
        {spec.meaning && listed ? ': ' : null}
        <bdi>{listed}</bdi>
        {more}
      </td>
    </tr>
  );
}

function Snippets({ file }: { file: Overview }) {
  if (file.snippets.length === 0) return null;
  return (
    <section aria-labelledby="snippets">
      <h2 id="snippets">{t('Code')}</h2>
      {file.snippets.map((snippet, i) => (
        <div key={i}>
          <h3>{visible(snippet.label)}</h3>
          <CodeBlock code={snippet.code} language={snippet.language} label={visible(snippet.label)} />
        </div>
      ))}
    </section>
  );
}
