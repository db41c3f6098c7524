import { useEffect, useId, useRef } from 'preact/hooks';
import type { InputColumn, Signature, TensorSpec } from '../../../src/model/model';
import { t, tn } from '../l10n';
import { LinkButton, Select, TextArea, TextField } from '../shared/controls';
import { Name } from '../shared/name';
import { shapeText } from '../shared/numbers';
import { visible } from '../shared/text';
import { choiceText, type Field, formFor, type InputProblem, takesTable } from './inputs';

export type Mode = 'form' | 'tensors' | 'csv' | 'json';

/** Ways to give the inputs of a signature, the handiest first. */
export function modesFor(signature: Signature, columns?: readonly InputColumn[]): Mode[] {
  const table = takesTable(signature) !== undefined;
  const form = formFor(signature, columns).kind;
  return [
    ...(form === 'tensors' ? (table ? [] : ['tensors' as const]) : ['form' as const]),
    ...(table ? ['csv' as const] : []),
    'json' as const,
  ];
}

function modeName(mode: Mode): string {
  return mode === 'form' ? t('Form') : mode === 'tensors' ? t('Tensors') : mode === 'csv' ? t('Table') : t('JSON');
}

interface InputFormProps {
  signature: Signature;
  /** What the model tells about the columns of its only input. */
  columns?: readonly InputColumn[];
  modes: Mode[];
  mode: Mode;
  onMode: (mode: Mode) => void;
  textOf: (field: string) => string;
  onText: (field: string, text: string) => void;
  problem?: InputProblem;
}

/** The inputs of a signature, in the chosen way; problems stand beside the field that has them. */
export function InputForm({ signature, columns, modes, mode, onMode, textOf, onText, problem }: InputFormProps) {
  const outer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (problem) (outer.current?.querySelector('[aria-invalid="true"]') as HTMLElement | null)?.focus();
  }, [problem]);
  return (
    <div ref={outer}>
      {modes.length > 1 ? (
        <fieldset class="segments">
          <legend class="sr-only">{t('How to give the input')}</legend>
          {modes.map((one) => (
            <label key={one} class={one === mode ? 'chosen' : ''}>
              <input type="radio" name="mode" value={one} checked={one === mode} onChange={() => onMode(one)} />
              {modeName(one)}
            </label>
          ))}
        </fieldset>
      ) : null}
      {mode === 'form' ? (
        <Fields signature={signature} columns={columns} textOf={textOf} onText={onText} problem={problem} />
      ) : null}
      {mode === 'tensors'
        ? signature.inputs.map((spec) => (
            <TensorBox
              key={spec.name}
              spec={spec}
              text={textOf(spec.name)}
              onText={(text) => onText(spec.name, text)}
              problem={problem?.field === spec.name ? problem : undefined}
            />
          ))
        : null}
      {mode === 'csv' ? (
        <TableBox signature={signature} text={textOf('')} onText={(text) => onText('', text)} problem={problem} />
      ) : null}
      {mode === 'json' ? (
        <Box
          label={t('Inputs as JSON')}
          hint={t(
            'An object from input name to data, or the data of the only input: nested lists, rows by column name, or {0}.',
            '{"dtype", "shape", "data"}',
          )}
          text={textOf('')}
          onText={(text) => onText('', text)}
          problem={problem}
        />
      ) : null}
    </div>
  );
}

type Part = Pick<InputFormProps, 'signature' | 'columns' | 'textOf' | 'onText' | 'problem'>;

function Fields({ signature, columns, textOf, onText, problem }: Part) {
  const form = formFor(signature, columns);
  const id = useId();
  if (form.kind === 'text') {
    const { name } = form.input;
    return (
      <Box label={visible(name)} text={textOf(name)} onText={(text) => onText(name, text)} problem={problem} plain />
    );
  }
  if (form.kind === 'tensors') return null;
  return (
    <div class="fields">
      {form.fields.map((field, i) => {
        const wrong = problem?.field === field.name ? problem : undefined;
        return (
          <div key={field.name} class="form-field">
            {field.choices ? (
              <ChoiceField field={field} value={textOf(field.name)} onChange={(text) => onText(field.name, text)} />
            ) : (
              <TextField
                value={textOf(field.name)}
                label={<Name text={field.name} title />}
                invalid={wrong !== undefined}
                describedBy={wrong ? `${id}-${i}` : undefined}
                onInput={(text) => onText(field.name, text)}
              />
            )}
            {wrong ? (
              <p class="field-problem" id={`${id}-${i}`} role="alert">
                {visible(wrong.message)}
              </p>
            ) : null}
          </div>
        );
      })}
    </div>
  );
}

/** A field of which the model knows the values. Other values can be given as a table or as JSON. */
function ChoiceField({ field, value, onChange }: { field: Field; value: string; onChange: (text: string) => void }) {
  const texts = (field.choices ?? []).map(choiceText);
  const all = texts.includes(value) ? texts : [value, ...texts];
  return (
    <label>
      <Name text={field.name} title />
      <Select
        value={value}
        options={all.map((text) => ({ value: text, label: text === '' ? t('(missing)') : visible(text) }))}
        onChange={onChange}
      />
    </label>
  );
}

function TableBox({
  signature,
  text,
  onText,
  problem,
}: {
  signature: Signature;
  text: string;
  onText: (text: string) => void;
  problem?: InputProblem;
}) {
  const input = takesTable(signature);
  const columns = input?.features?.length ?? input?.shape?.[1] ?? undefined;
  const names = input?.features?.slice(0, 6).map(visible).join(', ');
  return (
    <Box
      label={t('Rows as CSV')}
      hint={
        names
          ? t(
              'One row a line; with a header, columns are matched by name: {0}',
              `${names}${(input?.features?.length ?? 0) > 6 ? '…' : ''}`,
            )
          : typeof columns === 'number'
            ? tn(columns, 'One row a line, {0} cell each', 'One row a line, {0} cells each')
            : t('One row a line')
      }
      text={text}
      onText={onText}
      problem={problem}
    />
  );
}

function TensorBox({
  spec,
  text,
  onText,
  problem,
}: {
  spec: TensorSpec;
  text: string;
  onText: (text: string) => void;
  problem?: InputProblem;
}) {
  const shape = spec.shape?.map((size) => size ?? 1).join(', ');
  return (
    <Box
      label={
        <>
          <Name text={spec.name} mono /> &ensp;
          <span class="dim mono">{`${visible(spec.dtype)} ${spec.shape ? shapeText(spec.shape) : ''}`}</span>
        </>
      }
      hint={spec.meaning ? visible(spec.meaning) : undefined}
      text={text}
      onText={onText}
      problem={problem}
      actions={
        shape === undefined || /^str|^object|^bytes/.test(spec.dtype) ? null : (
          <>
            <LinkButton onClick={() => onText(`zeros(${shape})`)}>{t('zeros')}</LinkButton>
            <LinkButton onClick={() => onText(`ones(${shape})`)}>{t('ones')}</LinkButton>
            <LinkButton onClick={() => onText(`random(${shape})`)}>{t('random')}</LinkButton>
          </>
        )
      }
    />
  );
}

interface BoxProps {
  label: preact.ComponentChildren;
  hint?: string;
  text: string;
  onText: (text: string) => void;
  problem?: InputProblem;
  actions?: preact.ComponentChildren;
  /** Prose rather than data. */
  plain?: boolean;
}

function Box({ label, hint, text, onText, problem, actions, plain }: BoxProps) {
  const id = useId();
  return (
    <div class={`box ${plain ? '' : 'data'}`}>
      <TextArea
        value={text}
        label={label}
        rows={plain ? 4 : text.length > 400 ? 12 : text.length > 60 ? 6 : 3}
        invalid={problem !== undefined}
        describedBy={problem ? `${id}-problem` : undefined}
        onInput={onText}
      />
      {problem ? (
        <p class="field-problem" id={`${id}-problem`} role="alert">
          {visible(problem.message)}
        </p>
      ) : null}
      {hint || actions ? (
        <p class="hint dim">
          {hint} {actions}
        </p>
      ) : null}
    </div>
  );
}
