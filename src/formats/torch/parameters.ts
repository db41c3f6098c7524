import type { ByteRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import type { Finding, Parameter, ParameterKind, Totals } from '../../model/model';
import { printString } from '../../pickle/print';
import { bitsOf, byteLengthOf, elementCount } from '../../tensors/dtype';
import { readNumbers } from '../../tensors/elements';
import { contiguousStrides, extentOf, isContiguous } from '../../tensors/strides';
import type { TensorRef } from '../../tensors/tensor';
import { storedAs } from './dtypes';
import { FlippedSigns } from './flipped-signs';
import { declaredBytes } from './storage';
import type { TorchTensor } from './tensor';

/** Collects the rows of the parameter table: names made unique, ties found, what is wrong with a tensor said once. */
export class ParameterCollector {
  readonly rows: Parameter[] = [];
  readonly tensors = new Map<string, TorchTensor>();
  readonly warnings: Finding[] = [];
  /** Rows by storage key, to find those that are the same data, and to count shared memory once. */
  private readonly byStorage = new Map<string, StorageUse>();
  private missing = 0;
  private confusing = 0;
  private readonly counted: { parameters: number; bytes: number; byDtype: Map<string, number> } = {
    parameters: 0,
    bytes: 0,
    byDtype: new Map(),
  };

  constructor(private readonly byteOrder: 'little' | 'big') {}

  /** Adds a tensor and the component tensors below it; puts the row's final name and those of its components into `names`. */
  add(wanted: string, tensor: TorchTensor, kind: ParameterKind, names: string[] = []): string[] {
    const name = this.unique(wanted === '' ? 'tensor' : wanted);
    if (CONFUSING.test(name) && ++this.confusing <= MAX_CONFUSING) {
      this.warnings.push({
        rule: 'confusing-name',
        severity: 'info',
        message: `The name of the tensor ${printString(name)} has control or direction characters, which can make it look like another name.`,
      });
    }
    const row = this.row(name, tensor, kind);
    this.rows.push(row);
    this.tensors.set(name, tensor);
    names.push(name);
    this.count(row, tensor);
    for (const [partName, part] of tensor.parts ?? []) {
      const partRow = this.row(this.unique(`${name}.${partName}`), part, 'attribute');
      partRow.note = joinNotes(`part of ${name}`, partRow.note);
      this.rows.push(partRow);
      this.tensors.set(partRow.name, part);
      names.push(partRow.name);
    }
    return names;
  }

  totals(): Totals {
    for (const { first, more, declared } of this.byStorage.values()) {
      const rows = more ?? [first];
      let used = 0;
      for (const row of rows) used += row.bytes;
      // Views that overlap are counted as the memory they share.
      if (used > declared) this.sum(first.dtype, Math.floor((declared * first.count) / first.bytes), declared);
      else for (const row of rows) this.sum(row.dtype, row.count, row.bytes);
    }
    this.byStorage.clear();
    const { parameters, bytes, byDtype } = this.counted;
    return { parameters, bytes, byDtype: Object.fromEntries(byDtype) };
  }

  private sum(dtype: string, elements: number, bytes: number): void {
    this.counted.parameters += elements;
    this.counted.bytes += bytes;
    this.counted.byDtype.set(dtype, (this.counted.byDtype.get(dtype) ?? 0) + elements);
  }

  private count(row: Parameter, tensor: TorchTensor): void {
    if (row.tiedTo !== undefined || row.count === 0) return;
    if (!tensor.storage || tensor.layout !== 'strided') {
      this.sum(row.dtype, row.count, row.bytes);
      return;
    }
    const declared = declaredBytes(tensor.storage);
    const known = this.byStorage.get(row.storage);
    if (!known) {
      this.byStorage.set(row.storage, { first: row, more: undefined, declared, views: undefined });
      return;
    }
    known.more ??= [known.first];
    known.more.push(row);
    known.declared = Math.max(known.declared, declared);
  }

  private row(name: string, tensor: TorchTensor, kind: ParameterKind): Parameter {
    const count = tensor.problem ? 0 : elementCount(tensor.shape);
    const own = tensor.layout === 'strided' || tensor.layout === 'meta' || !tensor.parts;
    const bytes = own ? (byteLengthOf(storedAs(tensor.dtype), count) ?? 0) : bytesOfParts(tensor);
    const row: Parameter = {
      name,
      shape: tensor.shape,
      dtype: tensor.dtype,
      count,
      bytes: tensor.layout === 'meta' ? 0 : bytes,
      storage: tensor.storage?.key ?? '',
      kind,
    };
    if (tensor.device !== undefined) row.device = tensor.device;
    if (tensor.requiresGrad !== undefined) row.requiresGrad = tensor.requiresGrad;
    if (tensor.strides && !isContiguous(tensor.shape, tensor.strides)) row.strides = tensor.strides;
    if (tensor.offset !== 0 || (tensor.storage?.viewOffset ?? 0) !== 0)
      row.offset = tensor.offset + (tensor.storage?.viewOffset ?? 0);
    const notes = isPlain(tensor) ? undefined : notesOf(tensor);
    if (tensor.storage && !tensor.problem && !tensor.flips && tensor.layout === 'strided' && count > 0) {
      const first = this.firstOf(row);
      if (first !== undefined) row.tiedTo = first;
    }
    const problem = tensor.problem ?? this.attach(row, tensor, count);
    if (problem !== undefined) this.report(name, tensor, problem);
    if (problem !== undefined && !notes?.length) row.note = problem;
    else if (notes?.length) row.note = (problem === undefined ? notes : [problem, ...notes]).join('; ');
    return row;
  }

  /** Puts a reference to the elements on the row; the text of what is missing if they are not in the file. */
  private attach(row: Parameter, tensor: TorchTensor, count: number): string | undefined {
    if (tensor.array) {
      const dtype = storedAs(tensor.dtype);
      row.tensor = tensor.array.dtype === dtype ? tensor.array : { ...tensor.array, dtype };
      return undefined;
    }
    if (tensor.layout !== 'strided' && tensor.layout !== 'nested') return undefined;
    const { storage } = tensor;
    if (!storage) return undefined;
    if (!storage.data)
      return storage.elements === 0 && count === 0 ? undefined : `storage ${storage.key} is not in the file`;
    const dtype = storedAs(tensor.dtype);
    const offset = tensor.offset + storage.viewOffset;
    const strides = tensor.strides ?? contiguousStrides(tensor.shape);
    const reach = extentOf(tensor.shape, strides, offset);
    for (let i = 0; i < strides.length; i++) if (strides[i] < 0) return 'it has a negative stride';
    const need = byteLengthOf(dtype, reach) ?? 0;
    const declared = declaredBytes(storage) + (byteLengthOf(storage.dtype, storage.viewOffset) ?? 0);
    if (need > storage.data.length) {
      const whose =
        need > declared
          ? `storage ${storage.key} has room for ${declared} bytes only`
          : `storage ${storage.key} has ${storage.data.length} of ${declared} bytes`;
      return `its elements reach byte ${need}, but ${whose}`;
    }
    const ref: TensorRef = { dtype, shape: tensor.shape, data: flipped(storage.data, tensor, this.byteOrder) };
    if (row.strides) ref.strides = row.strides;
    if (offset !== 0) ref.offset = offset;
    if (this.byteOrder === 'big') ref.byteOrder = 'big';
    const quantization = quantizationOf(tensor, this.byteOrder);
    if (quantization) ref.quantization = quantization;
    row.tensor = ref;
    return undefined;
  }

  /** Name of the first row with the same data. Many views of one storage are found by a key, few by comparing. */
  private firstOf(row: Parameter): string | undefined {
    const use = this.byStorage.get(row.storage);
    if (!use) return undefined;
    const { first, more } = use;
    if (!more) return this.isSame(first, row) ? first.name : undefined;
    if (more.length <= MAX_COMPARED) return more.find((other) => this.isSame(other, row))?.name;
    const from = use.views ? more.length - 1 : 0;
    use.views ??= new Map();
    for (let i = from; i < more.length; i++) {
      const key = viewKey(more[i]);
      if (!use.views.has(key) && !this.isFlipped(more[i])) use.views.set(key, more[i].name);
    }
    return use.views.get(viewKey(row));
  }

  private isSame(other: Parameter, row: Parameter): boolean {
    return sameView(other, row) && !this.isFlipped(other);
  }

  /** Whether a row shows other numbers than its storage holds. */
  private isFlipped(row: Parameter): boolean {
    return this.tensors.get(row.name)?.flips !== undefined;
  }

  /** The reference to a tensor's elements, `undefined` if they are not in the file. */
  rowOf(tensor: TorchTensor): TensorRef | undefined {
    return this.row('', tensor, 'attribute').tensor;
  }

  private report(name: string, tensor: TorchTensor, problem: string): void {
    this.missing++;
    if (this.missing > MAX_REPORTED) return;
    const rule = problem.includes('is not in the file')
      ? 'storage-missing'
      : problem.includes('reach')
        ? 'storage-short'
        : 'tensor-shape';
    this.warnings.push({
      rule,
      severity: 'info',
      message:
        this.missing === MAX_REPORTED
          ? `More tensors like ${name} cannot be read; each says why in its row.`
          : `The values of ${name} (shape ${tensor.shape.join(' × ') || 'scalar'}) cannot be read: ${problem}.`,
    });
  }

  private unique(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.tensors.has(name); i++) name = `${wanted} (${i})`;
    return name;
  }
}

/** The storage's bytes as a tensor with a conjugate or negative bit sees them. */
function flipped(data: ByteRange, tensor: TorchTensor, byteOrder: 'little' | 'big'): ByteRange {
  if (!tensor.flips) return data;
  const parts = tensor.dtype.startsWith('complex') ? 2 : 1;
  const width = (bitsOf(tensor.dtype) ?? 8) / 8 / parts;
  return new FlippedSigns(data, parts, width, tensor.flips, byteOrder);
}

/** The rows of one storage. */
interface StorageUse {
  first: Parameter;
  /** All rows, once there are several. */
  more: Parameter[] | undefined;
  /** The largest size that a mention of the storage declares, in bytes. */
  declared: number;
  /** The first row of each view, once there are many. */
  views: Map<string, string> | undefined;
}

/** Control characters, and marks that change the direction or are not seen. */
const CONFUSING = /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const MAX_CONFUSING = 20;

/** Findings about single tensors before they are summed up in one. */
const MAX_REPORTED = 50;

/** Rows of one storage that are compared one by one. */
const MAX_COMPARED = 32;

function viewKey(row: Parameter): string {
  return `${row.dtype}@${row.offset ?? 0}:${row.shape}/${row.strides ?? ''}`;
}

/** Whether two rows of one storage are the same elements in the same order. */
function sameView(a: Parameter, b: Parameter): boolean {
  return (
    a.dtype === b.dtype &&
    (a.offset ?? 0) === (b.offset ?? 0) &&
    sameNumbers(a.shape, b.shape) &&
    sameNumbers(a.strides ?? [], b.strides ?? [])
  );
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

function bytesOfParts(tensor: TorchTensor): number {
  let sum = 0;
  for (const [, part] of tensor.parts ?? []) sum += byteLengthOf(storedAs(part.dtype), safeCount(part)) ?? 0;
  return sum;
}

function safeCount(tensor: TorchTensor): number {
  const count = elementCount(tensor.shape);
  return Number.isFinite(count) ? count : 0;
}

function joinNotes(first: string, rest: string | undefined): string {
  return rest === undefined ? first : `${first}; ${rest}`;
}

/** Whether there is nothing to note about a tensor, as with nearly all. */
function isPlain(tensor: TorchTensor): boolean {
  return (
    tensor.layout === 'strided' &&
    tensor.subclass === undefined &&
    tensor.quantizer === undefined &&
    tensor.notes === undefined
  );
}

function notesOf(tensor: TorchTensor): string[] {
  const notes: string[] = [];
  if (tensor.layout === 'meta') notes.push('meta tensor: it has a shape but no values');
  else if (tensor.layout !== 'strided' && tensor.layout !== 'wrapper') notes.push(`layout ${tensor.layout}`);
  if (tensor.subclass !== undefined) notes.push(`class ${tensor.subclass}`);
  const q = tensor.quantizer;
  if (q) {
    notes.push(
      q.scale !== undefined
        ? `${q.scheme}, scale ${q.scale}, zero point ${q.zeroPoint ?? 0}`
        : `${q.scheme}${q.axis === undefined ? '' : `, axis ${q.axis}`}, one scale a channel`,
    );
  }
  notes.push(...(tensor.notes ?? []));
  return notes;
}

/** The quantisation of a tensor view. Per-channel scales are tensors in the file, read when somebody asks for values. */
function quantizationOf(tensor: TorchTensor, byteOrder: 'little' | 'big'): TensorRef['quantization'] | undefined {
  const q = tensor.quantizer;
  if (!q) return undefined;
  if (q.scale !== undefined) return { scale: q.scale, zeroPoint: q.zeroPoint ?? 0 };
  const { scales, zeroPoints } = q;
  if (!scales) return undefined;
  return {
    get scale() {
      return numbersOf(scales, byteOrder);
    },
    get zeroPoint() {
      return zeroPoints ? numbersOf(zeroPoints, byteOrder) : 0;
    },
    ...(q.axis === undefined ? {} : { axis: q.axis }),
  };
}

/** Values of a small tensor of the file. @throws ModelError `truncated` if they are not there. */
export function numbersOf(tensor: TorchTensor | number[], byteOrder: 'little' | 'big'): number[] {
  if (Array.isArray(tensor)) return tensor;
  const ref = new ParameterCollector(byteOrder).rowOf(tensor);
  if (!ref)
    throw new ModelError(
      'truncated',
      'The scales of a quantised tensor are not in the file, so its values cannot be shown.',
    );
  return [...readNumbers(ref, 0, elementCount(ref.shape))];
}
