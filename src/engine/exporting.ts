import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelError } from '../bytes/errors';
import { ioError } from '../bytes/file-source';
import type { Parameter } from '../model/model';
import { serialize } from '../onnx/writer';
import { writeNpy } from '../tensors/npy-writer';
import { planSafetensors } from '../tensors/safetensors-writer';
import type { EngineControl } from './contract';
import { nameFilter } from './name-filter';
import type { PredictionService } from './predictions';
import type { ModelSession } from './session';

export type ExportRequest = Parameters<EngineControl['exportTo']>[0];

/** Writes the lowered model or the parameters of the open file. A file is complete or not there: it is written aside and renamed. */
export function exportModel(
  session: ModelSession,
  predictions: PredictionService,
  request: ExportRequest,
): { bytes: number; files: number } {
  if (request.kind === 'onnx') return exportOnnx(predictions, request);
  const matches = nameFilter(request.filter);
  const { parameters } = session.model;
  const chosen: Parameter[] = [];
  for (let i = 0; i < parameters.length; i++) if (matches(parameters.name(i))) chosen.push(parameters.at(i)!);
  if (chosen.length === 0) throw new ModelError('usage', `No parameter matches ${request.filter ?? '*'}.`);
  const unreadable = chosen.find((p) => !p.tensor);
  if (unreadable) {
    throw new ModelError(
      'unsupported',
      `${unreadable.name} (${unreadable.dtypeDetail ?? unreadable.dtype}) cannot be exported: its values are not plain numbers in this file. Leave it out with --parameters.`,
    );
  }
  return request.kind === 'safetensors' ? exportSafetensors(chosen, request.target) : exportNpy(chosen, request.target);
}

function exportOnnx(predictions: PredictionService, request: ExportRequest): { bytes: number; files: number } {
  const predictor = predictions.portable(request.signature);
  const graphs = predictor.steps.filter((step) => step.kind === 'graph');
  const code = predictor.steps.filter((step) => step.kind === 'code');
  if (code.length > 0) {
    throw new ModelError(
      'unsupported',
      `${predictor.title} cannot be one ONNX file: ${code.map((step) => step.name).join(', ')} ${code.length > 1 ? 'are' : 'is'} computed outside ONNX, which cannot express ${code.length > 1 ? 'them' : 'it'} exactly.`,
    );
  }
  if (graphs.length !== 1) {
    throw new ModelError(
      'unsupported',
      `${predictor.title} needs ${graphs.length} ONNX graphs with decisions between them, so it cannot be one file.`,
    );
  }
  const serialized = serialize(graphs[0].model);
  const bytes = writeAside(request.target, (write) => write(serialized.bytes));
  return { bytes, files: 1 };
}

function exportSafetensors(parameters: Parameter[], target: string): { bytes: number; files: number } {
  const bytes = writeAside(target, (write) => {
    for (const part of planSafetensors(parameters)) write(part);
  });
  return { bytes, files: 1 };
}

function exportNpy(parameters: Parameter[], folder: string): { bytes: number; files: number } {
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw ioError(error, folder);
  }
  const used = new Set<string>();
  let bytes = 0;
  for (const parameter of parameters) {
    bytes += writeAside(path.join(folder, `${fileName(parameter.name, used)}.npy`), (write) => {
      for (const part of writeNpy(parameter)) write(part);
    });
  }
  return { bytes, files: parameters.length };
}

/** A parameter name as a file name: nothing that a file system or shell takes for more than a name; unique even where case is ignored. */
function fileName(name: string, used: Set<string>): string {
  const safe =
    name
      .replace(/[^A-Za-z0-9._[\]-]/g, '_')
      .replace(/^\.+/, '_')
      .slice(0, 180) || 'parameter';
  let unique = safe;
  for (let n = 2; used.has(unique.toLowerCase()); n++) unique = `${safe}~${n}`;
  used.add(unique.toLowerCase());
  return unique;
}

/** Writes beside the target and renames, so that a failure leaves nothing half-written. */
function writeAside(target: string, produce: (write: (part: Uint8Array) => void) => void): number {
  const aside = `${target}.${process.pid}.part`;
  let bytes = 0;
  let handle: number | undefined;
  try {
    const open = fs.openSync(aside, 'w');
    handle = open;
    produce((part) => {
      for (let at = 0; at < part.length; ) at += fs.writeSync(open, part, at, part.length - at);
      bytes += part.length;
    });
    fs.closeSync(open);
    handle = undefined;
    fs.renameSync(aside, target);
    return bytes;
  } catch (error) {
    if (handle !== undefined) fs.closeSync(handle);
    fs.rmSync(aside, { force: true });
    throw error instanceof ModelError ? error : ioError(error, target);
  }
}
