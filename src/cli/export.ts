import { ModelError } from '../bytes/errors';
import { type ExportRequest, exportModel } from '../engine/exporting';
import { PredictionService } from '../engine/predictions';
import { ModelSession } from '../engine/session';
import type { Call, Command } from './arguments';
import { humanBytes, printJson } from './output';

export const exportCommand: Command = {
  name: 'export',
  operands: 'FILE',
  minOperands: 1,
  maxOperands: 1,
  summary: 'Writes the model as ONNX, or its parameters as .safetensors or .npy files.',
  options: {
    onnx: { kind: 'value', placeholder: 'OUT', help: 'the model, lowered to ONNX, as the predictions run it' },
    safetensors: { kind: 'value', placeholder: 'OUT', help: 'parameters as one .safetensors file' },
    npy: { kind: 'value', placeholder: 'DIR', help: 'parameters as .npy files in a folder' },
    parameters: { kind: 'value', placeholder: 'GLOB', help: 'only parameters whose name matches (also /regex/)' },
    signature: { kind: 'value', placeholder: 'NAME', help: 'which signature to lower (default: the first)' },
    'input-shape': {
      kind: 'list',
      placeholder: 'NAME=1,3,224,224',
      help: 'shape of an input where the file leaves it open',
    },
    json: { kind: 'flag', help: 'print one JSON document' },
  },
  run,
};

async function run(call: Call): Promise<number> {
  const kinds = (['onnx', 'safetensors', 'npy'] as const).filter((kind) => call.value(kind) !== undefined);
  if (kinds.length !== 1)
    throw new ModelError('usage', '"export" needs exactly one of --onnx OUT, --safetensors OUT and --npy DIR.');
  const [kind] = kinds;
  const target = call.value(kind) as string;
  const session = await ModelSession.open(call.operands[0]);
  try {
    const request: ExportRequest = { kind, target };
    const filter = call.value('parameters');
    const signature = call.value('signature');
    if (filter !== undefined) request.filter = filter;
    if (signature !== undefined) request.signature = signature;
    const shapes = call.list('input-shape').map(shapeOption);
    if (shapes.length > 0) request.inputShapes = Object.fromEntries(shapes);
    const written = exportModel(session, new PredictionService(session.model, session.openMilliseconds), request);
    if (call.flag('json')) printJson({ target, kind, ...written });
    else
      process.stdout.write(
        `${target}: ${humanBytes(written.bytes)}${written.files > 1 ? ` in ${written.files} files` : ''}\n`,
      );
    return 0;
  } finally {
    session.close();
  }
}

function shapeOption(text: string): [string, number[]] {
  const match = /^(.+)=([0-9]+(?:,[0-9]+)*)$/.exec(text);
  if (!match) throw new ModelError('usage', `--input-shape takes NAME=1,3,224,224, not "${text}".`);
  return [match[1], match[2].split(',').map(Number)];
}
