import { useRef, useState } from 'preact/hooks';
import type { EngineFailure, PredictForm, PredictResult } from '../../../src/engine/contract';
import type { InputColumn, Signature } from '../../../src/model/model';
import { overview } from '../app/state';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { Button, Checkbox, Select, Spinner } from '../shared/controls';
import { ErrorNote } from '../shared/error-note';
import { Icon } from '../shared/icons';
import { useRemote } from '../shared/remote';
import { visible } from '../shared/text';
import { persisted } from '../vscode';
import { InputForm, type Mode, modesFor } from './input-form';
import { formFor, fromBox, fromForm, fromJson, fromTable, InputProblem, takesTable } from './inputs';
import { Results } from './results';
import { sharesInput, startingText } from './starting-text';

const chosenSignature = persisted('predict.signature', '');
const method = persisted('predict.method', '');
const steps = persisted('predict.steps', false);
const mode = persisted<string>('predict.mode', '');
/** What was typed, by `signature/mode/field`. */
const texts = persisted<Record<string, string>>('predict.texts', {});
const REMEMBERED = 100_000;

/** Asks the model: a form or a paste box, and its answer. */
export function Predict() {
  const form = useRemote(() => host.predictForm(), []);
  if (form.failure) return <ErrorNote failure={form.failure} retry={form.retry} />;
  if (!form.value) return <Spinner label={t('Reading what this model takes…')} />;
  const refusal = form.value.refusal ?? (form.value.signatures.length === 0 ? overview.value?.noPrediction : undefined);
  if (refusal !== undefined || form.value.signatures.length === 0) {
    return (
      <div class="scroll refusal">
        <div class="note info" role="status">
          <Icon name="info" class="info-mark" />
          <div class="note-body">
            <h2>{t('No predictions for this file')}</h2>
            <p>{visible(refusal ?? t('The file holds nothing that predicts.'))}</p>
          </div>
        </div>
      </div>
    );
  }
  return <Ask form={form.value} />;
}

function Ask({ form }: { form: PredictForm }) {
  // An estimator answers all its methods at once, from one input; its signatures are those methods, and a few more on request.
  const isEstimator = form.methods.length > 0;
  const methods = isEstimator ? [...new Set([...form.methods, ...form.signatures.map((one) => one.name)])] : [];
  const wanted = isEstimator ? method.value : chosenSignature.value;
  const signature = form.signatures.find((one) => one.name === wanted) ?? form.signatures[0];
  const columns = sharesInput(form, signature) ? form.columns : undefined;
  const modes = modesFor(signature, columns);
  const current = modes.find((one) => one === mode.value) ?? modes[0];
  const [problem, setProblem] = useState<InputProblem | undefined>(undefined);
  const [failure, setFailure] = useState<EngineFailure | undefined>(undefined);
  const [result, setResult] = useState<PredictResult | undefined>(undefined);
  const [running, setRunning] = useState(false);
  // Texts too long to be remembered live only as long as the view.
  const [unsaved, setUnsaved] = useState<Record<string, string>>({});
  const run = useRef(0);

  const inputOf = form.methods.includes(signature.name) ? 'estimator' : signature.name;
  const key = (field: string): string => `${inputOf}/${current}/${field}`;
  const textOf = (field: string): string =>
    unsaved[key(field)] ?? texts.value[key(field)] ?? startingText(form, signature, current, field);
  const setText = (field: string, text: string): void => {
    if (text.length <= REMEMBERED) texts.value = { ...texts.value, [key(field)]: text };
    setUnsaved({ ...unsaved, [key(field)]: text });
    if (problem?.field === field) setProblem(undefined);
  };

  const ask = async (): Promise<void> => {
    let inputs: Record<string, unknown>;
    try {
      inputs = gather(signature, columns, current, textOf);
    } catch (error) {
      if (!(error instanceof InputProblem)) throw error;
      setProblem(error);
      return;
    }
    const mine = ++run.current;
    setProblem(undefined);
    setFailure(undefined);
    setRunning(true);
    try {
      const answer = await host.predict({
        inputs,
        ...(isEstimator && (method.value === '' || form.methods.includes(method.value))
          ? {}
          : { signature: signature.name }),
        ...(form.methods.includes(method.value) ? { method: method.value } : {}),
        ...(steps.value ? { intermediate: true } : {}),
      });
      if (mine === run.current) setResult(answer);
    } catch (error) {
      if (mine !== run.current) return;
      const said = failureOf(error);
      setFailure(said);
      setResult(undefined);
      const fields = signature.inputs.flatMap((input) => [input.name, ...(input.features ?? [])]);
      if (said.member !== undefined && fields.includes(said.member))
        setProblem(new InputProblem(said.member, said.message));
    } finally {
      if (mine === run.current) setRunning(false);
    }
  };

  return (
    <div
      class="scroll predict"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        void ask();
      }}
    >
      <div class="predict-columns">
        <section class="predict-input" aria-label={t('Input')}>
          <div class="predict-choices">
            {!isEstimator && form.signatures.length > 1 ? (
              <label>
                <span>{t('Signature')}</span>
                <Select
                  value={signature.name}
                  options={form.signatures.map((one) => ({ value: one.name, label: visible(one.name) }))}
                  onChange={(value) => {
                    chosenSignature.value = value;
                    setProblem(undefined);
                    setResult(undefined);
                    setFailure(undefined);
                  }}
                />
              </label>
            ) : null}
            {methods.length > 1 ? (
              <label>
                <span>{t('Method')}</span>
                <Select
                  value={methods.includes(method.value) ? method.value : ''}
                  options={[
                    { value: '', label: t('all') },
                    ...methods.map((name) => ({ value: name, label: visible(name) })),
                  ]}
                  onChange={(value) => {
                    method.value = value;
                  }}
                />
              </label>
            ) : null}
          </div>
          <InputForm
            signature={signature}
            columns={columns}
            modes={modes}
            mode={current}
            onMode={(value) => {
              mode.value = value;
              setProblem(undefined);
            }}
            textOf={textOf}
            onText={setText}
            problem={problem}
          />
          {form.methods.length > 0 ? (
            <Checkbox
              checked={steps.value}
              onChange={(checked) => {
                steps.value = checked;
              }}
            >
              {t('Show what the steps pass on')}
            </Checkbox>
          ) : null}
          <div class="buttons run">
            <Button kind="primary" disabled={running} title={t('Ctrl+Enter')} onClick={() => void ask()}>
              {t('Run')}
            </Button>
            {running ? <Spinner label={t('Running…')} /> : <span class="dim">{visible(form.runtime)}</span>}
          </div>
          {failure ? <ErrorNote failure={failure} /> : null}
        </section>
        <section class="predict-output" aria-label={t('Answer')} aria-live="polite" aria-busy={running}>
          {result ? <Results result={result} /> : failure ? null : <p class="empty">{t('The answer appears here.')}</p>}
        </section>
      </div>
    </div>
  );
}

function gather(
  signature: Signature,
  columns: readonly InputColumn[] | undefined,
  mode: Mode,
  textOf: (field: string) => string,
): Record<string, unknown> {
  switch (mode) {
    case 'form': {
      const form = formFor(signature, columns);
      const names =
        form.kind === 'columns' || form.kind === 'scalars'
          ? form.fields.map((field) => field.name)
          : signature.inputs.map((spec) => spec.name);
      return fromForm(form, Object.fromEntries(names.map((name) => [name, textOf(name)])));
    }
    case 'csv': {
      const input = takesTable(signature);
      if (!input) throw new InputProblem('', t('This signature takes no table.'));
      return fromTable(input, textOf(''));
    }
    case 'json':
      return fromJson(signature, textOf(''));
    case 'tensors':
      return Object.fromEntries(signature.inputs.map((spec) => [spec.name, fromBox(spec, textOf(spec.name))]));
  }
}
