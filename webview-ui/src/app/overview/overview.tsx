import type { Overview } from '../../../../src/engine/contract';
import type { Finding, Signature, TensorSpec } from '../../../../src/model/model';
import { t } from '../../l10n';
import { CodeBlock } from '../../shared/code';
import { Icon } from '../../shared/icons';
import { Name } from '../../shared/name';
import { exact, hexOffset, humanBytes, humanCount, shapeText } from '../../shared/numbers';
import { visible } from '../../shared/text';
import { overview, security } from '../state';
import { Attributes } from './attributes';
import { Contents } from './contents';
import { DtypeBar } from './dtype-bar';
import { Layers } from './layers';
import { OnlyArray } from './only-array';

/** The first tab: what the file is, in facts. */
export function OverviewTab() {
  const file = overview.value;
  if (!file) return null;
  return (
    <div class="scroll overview">
      <div class="overview-columns">
        <div class="overview-main">
          {file.warnings.length > 0 ? <Notices warnings={file.warnings} /> : null}
          <Layers tensors={file.parameterRows} />
          <Attributes attributes={file.attributes} />
          {isPlain(file) ? <Contents /> : null}
          {file.parameterRows === 1 && file.signatures.length === 0 ? <OnlyArray /> : null}
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

/** Neither a model nor an array, but objects, which are all there is to show. */
function isPlain(file: Overview): boolean {
  return file.hasObjects && !file.hasArchitecture && file.parameterRows !== 1;
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
            <dt>{file.hasArchitecture ? t('Parameters') : t('Values')}</dt>
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
              class={
                warning.severity === 'dangerous'
                  ? 'error-mark'
                  : warning.severity === 'info'
                    ? 'info-mark'
                    : 'warning-mark'
              }
            />
            <div>
              <span>{visible(warning.message)}</span>
              {warning.member || warning.offset !== undefined ? (
                <span class="dim mono">
                  {' '}
                  {[
                    warning.member && visible(warning.member),
                    warning.offset !== undefined && hexOffset(warning.offset),
                  ]
                    .filter(Boolean)
                    .join(' ')}
                </span>
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
  const { signatures } = file;
  const [first] = signatures;
  // The methods of an estimator take the same input: said once.
  const alike = signatures.length > 1 && signatures.every((one) => sameInputs(one, first) && one.outputs.length === 1);
  return (
    <section aria-labelledby="signatures">
      <h2 id="signatures">{t('Inputs and outputs')}</h2>
      {alike ? (
        <SignatureTable
          label={t('Inputs and outputs')}
          inputs={first.inputs}
          outputs={signatures.flatMap((one) => one.outputs)}
        />
      ) : (
        signatures.map((signature) => (
          <div key={signature.name} class="signature">
            <h3>
              <Name text={signature.name} mono />
              {signature.description ? <span class="dim plain-weight"> {visible(signature.description)}</span> : null}
            </h3>
            <SignatureTable label={visible(signature.name)} inputs={signature.inputs} outputs={signature.outputs} />
          </div>
        ))
      )}
    </section>
  );
}

function sameInputs(a: Signature, b: Signature): boolean {
  return JSON.stringify(a.inputs) === JSON.stringify(b.inputs);
}

function SignatureTable({ label, inputs, outputs }: { label: string; inputs: TensorSpec[]; outputs: TensorSpec[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={label}>
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
          {inputs.map((spec) => (
            <SpecRow key={`in ${spec.name}`} role={t('input')} spec={spec} />
          ))}
          {outputs.map((spec) => (
            <SpecRow key={`out ${spec.name}`} role={t('output')} spec={spec} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const NAMES_SHOWN = 8;

function SpecRow({ role, spec }: { role: string; spec: TensorSpec }) {
  const names = spec.features ?? spec.labels ?? [];
  const listed = names.slice(0, NAMES_SHOWN).map(visible).join(', ');
  const more = names.length > NAMES_SHOWN ? ` ${t('and {0} more', names.length - NAMES_SHOWN)}` : '';
  return (
    <tr>
      <td class="dim">{role}</td>
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

/** Labels of code that loads the file. */
const LOADS = /^Load\b/;

/** Code to copy. A file that is dangerous to load gets none that loads it. */
function Snippets({ file }: { file: Overview }) {
  const dangerous = security.value?.verdict === 'dangerous';
  const shown = file.snippets.filter(({ label }) => !dangerous || !LOADS.test(label));
  if (file.snippets.length === 0) return null;
  return (
    <section aria-labelledby="snippets">
      <h2 id="snippets">{t('Code')}</h2>
      {dangerous ? <p class="dim">{t('The file is dangerous: there is no code to load it.')}</p> : null}
      {shown.map((snippet, i) => (
        <div key={i} class="snippet">
          <h3>{visible(snippet.label)}</h3>
          <CodeBlock code={snippet.code} language={snippet.language} label={visible(snippet.label)} />
        </div>
      ))}
    </section>
  );
}
