import type { Finding, ModuleNode, Parameter, ParameterKind, Totals } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { printString } from '../../pickle/print';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import { isContiguous } from '../../tensors/strides';
import { storedAs } from './dtypes';
import { firstElement, hasElements, placementProblem, referenceTo } from './reference';
import { SharedMemory } from './shared-memory';
import type { TorchTensor } from './tensor';

/** The tensors of a model by the names of their rows. */
export interface NamedTensors {
  get(name: string): TorchTensor | undefined;
}

/** Fills the parameter table: names made unique, ties found, what is wrong with a tensor said once. */
export class ParameterCollector implements NamedTensors {
  readonly table: ParameterTable<TorchTensor>;
  readonly warnings: Finding[] = [];
  private readonly tensors: TorchTensor[] = [];
  private readonly memory: SharedMemory;
  /** Places that were asked for last. */
  private readonly asked = [-1, -1];
  private missing = 0;
  private confusing = 0;

  constructor(byteOrder: 'little' | 'big') {
    this.table = new ParameterTable((tensor) => referenceTo(tensor, byteOrder));
    this.memory = new SharedMemory(this.table, this.tensors);
  }

  get(name: string): TorchTensor | undefined {
    const index = this.placeOf(name);
    return index < 0 ? undefined : this.tensors[index];
  }

  /** Place of a name. Names are asked for in the order of the rows, by one or two at a time. */
  private placeOf(name: string): number {
    const { table, asked } = this;
    for (let i = 0; i < asked.length; i++) {
      const next = asked[i] + 1;
      if (next < table.length && table.name(next) === name) {
        asked[i] = next;
        return next;
      }
    }
    const index = table.indexOf(name);
    asked[1] = asked[0];
    asked[0] = index;
    return index;
  }

  /**
   * Adds a tensor and the component tensors below it; the rows' final names become those of the owner's parameters.
   * @param dtypeDetail the dtype where the name alone says less.
   */
  add(
    wanted: string,
    tensor: TorchTensor,
    kind: ParameterKind,
    owner?: Pick<ModuleNode, 'parameters'>,
    dtypeDetail?: string,
  ): void {
    const name = this.unique(wanted === '' ? 'tensor' : wanted);
    if (!PLAIN.test(name) && CONFUSING.test(name) && ++this.confusing <= MAX_CONFUSING) {
      this.warnings.push({
        rule: 'confusing-name',
        severity: 'info',
        message: `The name of the tensor ${printString(name)} has control or direction characters, which can make it look like another name.`,
      });
    }
    this.memory.count(this.put(name, tensor, kind, undefined, dtypeDetail));
    if (owner) own(owner, name);
    for (const [partName, part] of tensor.parts ?? []) {
      const partRow = this.unique(`${name}.${partName}`);
      this.put(partRow, part, 'attribute', `part of ${name}`);
      if (owner) own(owner, partRow);
    }
  }

  /** Elements and bytes, shared memory counted once. To be asked once, after the last tensor. */
  totals(): Totals {
    return this.memory.totals();
  }

  /** Adds the row of one tensor; its place in the table. @param remark put before what there is to note of the tensor itself. */
  private put(name: string, tensor: TorchTensor, kind: ParameterKind, remark?: string, dtypeDetail?: string): number {
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
    if (dtypeDetail !== undefined) row.dtypeDetail = dtypeDetail;
    if (tensor.device !== undefined) row.device = tensor.device;
    if (tensor.requiresGrad !== undefined) row.requiresGrad = tensor.requiresGrad;
    if (tensor.strides && !isContiguous(tensor.shape, tensor.strides)) row.strides = tensor.strides;
    const offset = firstElement(tensor);
    if (offset !== 0 || tensor.offset !== 0) row.offset = offset;
    if (tensor.storage && !tensor.problem && !tensor.flips && tensor.layout === 'strided' && count > 0) {
      const first = this.memory.firstOf(row);
      if (first !== undefined) row.tiedTo = first;
    }
    const problem = tensor.problem ?? placementProblem(tensor, count);
    if (problem !== undefined) this.report(name, tensor, problem);
    const notes = isPlain(tensor) ? [] : notesOf(tensor);
    if (problem !== undefined) notes.unshift(problem);
    if (remark !== undefined) notes.unshift(remark);
    if (notes.length > 0) row.note = notes.join('; ');
    this.tensors.push(tensor);
    return this.table.add(row, problem === undefined && hasElements(tensor) ? tensor : undefined);
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
    for (let i = 2; this.table.has(name); i++) name = `${wanted} (${i})`;
    return name;
  }
}

/** Control characters, and marks that change the direction or are not seen. */
const CONFUSING = /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
/** Names without any of them, as nearly all are. */
const PLAIN = /^[ -~]*$/;
const MAX_CONFUSING = 20;

/** Findings about single tensors before they are summed up in one. */
const MAX_REPORTED = 50;

/** An array that is made with its first item has no room for many: most modules own one or two. */
function own(owner: Pick<ModuleNode, 'parameters'>, name: string): void {
  if (owner.parameters.length === 0) owner.parameters = [name];
  else owner.parameters.push(name);
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
