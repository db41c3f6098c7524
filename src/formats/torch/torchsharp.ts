import { SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import { Peek } from '../../bytes/peek';
import { counted } from '../../model/counted';
import type { Model } from '../../model/model';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import { dtypeByScalarType, storedAs } from './dtypes';
import { modelOfTensors, type NamedTensor } from './plain-tensors';
import { quoted } from './snippets';

/** Dimensions of a tensor; torch allows no more. */
const MAX_DIMENSIONS = 64;
const MAX_NAME_BYTES = 4096;

/** A number in LEB128 and where the next one begins; `undefined` if it is cut off or too large. */
function leb128(peek: Peek, at: number): { value: number; next: number } | undefined {
  const bytes = peek.read(at, 8);
  let value = 0;
  for (let i = 0; i < Math.min(bytes.length, 7); i++) {
    value += (bytes[i] & 0x7f) * 2 ** (7 * i);
    if (bytes[i] < 0x80) return { value, next: at + i + 1 };
  }
  return undefined;
}

/** One entry: name, type, sizes, and the elements behind them. */
function entryAt(source: ByteSource, peek: Peek, at: number): { named: NamedTensor; next: number } | undefined {
  const length = leb128(peek, at);
  if (!length || length.value === 0 || length.value > MAX_NAME_BYTES) return undefined;
  const bytes = Buffer.from(peek.read(length.next, length.value));
  const name = bytes.toString('utf8');
  // What is no text is no name, and the file another one.
  if (bytes.length < length.value || /[\u0000-\u001f\ufffd]/.test(name)) return undefined;
  const type = leb128(peek, length.next + length.value);
  const dtype = type && dtypeByScalarType(type.value);
  const rank = type && leb128(peek, type.next);
  if (!dtype || !rank || rank.value > MAX_DIMENSIONS) return undefined;
  const shape: number[] = [];
  let next = rank.next;
  for (let i = 0; i < rank.value; i++) {
    const size = leb128(peek, next);
    if (!size) return undefined;
    shape.push(size.value);
    next = size.next;
  }
  const stored = storedAs(dtype);
  const data = byteLengthOf(stored, elementCount(shape));
  if (data === undefined || next + data > source.size) return undefined;
  return {
    named: {
      name,
      tensor: { dtype, shape, offset: 0, isParameter: false, layout: 'strided' },
      ref: { dtype: stored, shape, data: new SourceRange(source, next, data) },
    },
    next: next + data,
  };
}

/**
 * The entries of a state dictionary of TorchSharp, if the whole file is one: a count, then for each entry name, type, sizes and elements.
 * Numbers are unsigned LEB128, elements little-endian. Source: TorchSharp `src/Python/exportsd.py` and `docfx/articles/saveload.md`.
 */
function entriesOf(source: ByteSource): NamedTensor[] | undefined {
  const peek = new Peek(source);
  const count = leb128(peek, 0);
  // The least entry takes four bytes: a name of one letter, its type, no dimensions, one byte.
  if (!count || count.value === 0 || count.value > source.size / 4) return undefined;
  const named: NamedTensor[] = [];
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    const entry = entryAt(source, peek, at);
    if (!entry) return undefined;
    named.push(entry.named);
    at = entry.next;
  }
  return at === source.size ? named : undefined;
}

/** Whether a file is a state dictionary of TorchSharp, to its last byte. */
export function isTorchSharp(source: ByteSource): boolean {
  return entriesOf(source) !== undefined;
}

/** Opens what `module.save` of TorchSharp writes. @throws ModelError `malformed` if the file is none. */
export function openTorchSharp(input: ModelInput): Model {
  const named = entriesOf(input.source);
  if (!named) throw new ModelError('malformed', `${input.name} is no state dictionary of TorchSharp.`);
  const count = counted(named.length, 'tensor');
  return modelOfTensors(named, {
    format: 'torchsharp',
    title: (family) => `${family ? `${family} w` : 'W'}eights of TorchSharp (${count})`,
    producer: { name: 'TorchSharp' },
    facts: [{ label: 'Container', value: 'state dictionary of TorchSharp' }],
    warnings: [],
    snippet: {
      label: 'Load',
      language: 'csharp',
      code: `using TorchSharp;\n\n// model: a module with the same parameters and buffers\nmodel.load(${quoted(input.name)});\n`,
    },
    noPrediction:
      'A state dictionary holds weights but no program: the source of the module, or a known architecture, is needed to predict with it.',
  });
}
