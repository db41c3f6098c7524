import * as fs from 'node:fs';
import { ModelError } from '../bytes/errors';
import { ioError } from '../bytes/file-source';
import type { PredictRequest, PredictResult } from '../engine/contract';
import { readPredictionInputs } from '../engine/prediction-files';
import { PredictionService, signatureAsked } from '../engine/predictions';
import { ModelSession } from '../engine/session';
import type { Predictor } from '../lowering/predictor';
import type { Call, Command } from './arguments';
import { printable, printJson } from './output';

export const predictCommand: Command = {
  name: 'predict',
  operands: 'FILE',
  minOperands: 1,
  maxOperands: 1,
  summary:
    'Runs one prediction: the model is translated to ONNX and run by onnxruntime; nothing of the file is executed.',
  options: {
    signature: { kind: 'value', placeholder: 'NAME', help: 'which signature (default: the first)' },
    input: {
      kind: 'list',
      placeholder: 'FILE|NAME=FILE|-',
      help: 'JSON, CSV, .npy, .png or .jpg; - is standard input (default)',
    },
    method: { kind: 'value', placeholder: 'NAME', help: 'only this method of an estimator, e.g. predict_proba' },
    source: {
      kind: 'value',
      placeholder: 'DIR',
      help: 'folder with the Python source of the model classes (read, never run)',
    },
    intermediate: { kind: 'flag', help: 'also give the outputs of the steps of a pipeline' },
    json: { kind: 'flag', help: 'print one JSON document' },
  },
  details: `Input is a JSON object from input name to data: nested arrays, or {"dtype": "float32", "shape": [1, 4], "data": [flat]}.
A scikit-learn model's input is X: an array of rows; a row is an array, an object by feature name, or a string for a text model.
A model that cannot be predicted exactly is refused (exit code 2, code "unsupported").`,
  run: predict,
};

async function predict(call: Call): Promise<number> {
  const session = await ModelSession.open(call.operands[0]);
  try {
    const service = new PredictionService(session.model, session.openMilliseconds);
    const signature = call.value('signature');
    const method = call.value('method');
    const intermediate = call.flag('intermediate');
    // Lowered before the input is read: a refusal should not wait for somebody to type one.
    const { predictor } = service.predictor(
      signatureAsked({
        ...(signature === undefined ? {} : { signature }),
        ...(method === undefined ? {} : { method }),
      }),
      intermediate,
    );
    const inputs = await inputsFor(service, predictor, call.list('input'));
    const result = await service.predict({
      inputs,
      intermediate,
      ...(signature === undefined ? {} : { signature }),
      ...(method === undefined ? {} : { method }),
    });
    if (call.flag('json')) printJson(result);
    else process.stdout.write(text(result));
    await service.release();
    return 0;
  } finally {
    session.close();
  }
}

/** @throws ModelError `usage` with an example of the input where none was given */
async function inputsFor(
  service: PredictionService,
  predictor: Predictor,
  given: string[],
): Promise<PredictRequest['inputs']> {
  const asked = given.length > 0;
  let missing = false;
  try {
    return readPredictionInputs(predictor, asked ? given : ['-'], (file) => {
      const bytes = readInput(file, asked);
      missing = bytes === undefined;
      return bytes ?? new Uint8Array(0);
    });
  } catch (error) {
    throw missing ? noInput((await service.form()).example) : error;
  }
}

/** The bytes of a file; `undefined` where standard input has none, or where somebody would have to type them. */
function readInput(file: string, asked: boolean): Uint8Array | undefined {
  if (file === '-' && !asked && process.stdin.isTTY) return undefined;
  try {
    const bytes = fs.readFileSync(file === '-' ? 0 : file);
    return file === '-' && bytes.length === 0 ? undefined : bytes;
  } catch (error) {
    if (file === '-') return undefined;
    throw ioError(error, file);
  }
}

/** Examples longer than this are no help on a terminal. */
const SHOWN_EXAMPLE = 600;

function noInput(example: string | undefined): ModelError {
  const line = example?.replace(/\n\s*/g, ' ');
  const shown = line && line.length <= SHOWN_EXAMPLE ? `, such as ${line}` : '';
  return new ModelError('usage', `No input was given: use --input FILE, or pipe JSON to standard input${shown}.`);
}

function text(result: PredictResult): string {
  const out: string[] = [];
  for (const output of result.outputs) {
    const rows = output.shape[0] ?? 1;
    const width = output.data.length / Math.max(1, rows);
    out.push(
      `${printable(output.step ? `${output.step}: ` : '')}${printable(output.name)}  ${output.dtype}[${output.shape.join(', ')}]`,
    );
    const shown = Math.min(rows, 20);
    for (let row = 0; row < shown; row++) {
      const cells = output.data.slice(row * width, row * width + Math.min(width, 20));
      out.push(
        `  ${cells.map((cell, i) => (output.labels && output.labels.length === width ? `${printable(output.labels[i])}: ${cell}` : printable(String(cell)))).join('  ')}${width > 20 ? ' …' : ''}`,
      );
    }
    if (shown < rows) out.push(`  … ${rows - shown} more rows`);
  }
  for (const note of result.notes ?? []) out.push(`note: ${printable(note)}`);
  const { open, lower, run } = result.milliseconds;
  process.stderr.write(
    `opened in ${open.toFixed(1)} ms, translated in ${lower.toFixed(1)} ms, run in ${run.toFixed(1)} ms\n`,
  );
  return `${out.join('\n')}\n`;
}
