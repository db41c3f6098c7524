import { isZip, openZip, type ZipArchive, type ZipMember } from '../../archives/zip';
import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { asModelError, type ModelError } from '../../bytes/errors';
import type { Fact, Finding, Model, PickleSection } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { Global, Instance, PyTuple, type Value } from '../../pickle/values';
import type { Format } from '../format';
import { findArrays, parameterRow, rowsByObject, totalsOf } from '../pickle/arrays';
import { shapeText } from '../pickle/describe';
import { dtypeLabel } from './dtype';
import type { NdArray } from './ndarray';
import { isNpy, type NpyFile, readNpy } from './npy';

/** An array that stands in a tree of Python objects as `numpy.load` would give it. */
function asObject(array: NdArray): Instance {
  const made = new Instance(new Global('numpy', 'ndarray', 'numpy', 'ndarray', 0, false), new PyTuple([]), 'REDUCE', 0);
  made.attachment = array;
  return made;
}

function describeFile({ array, version }: NpyFile): Fact[] {
  return [
    { label: 'File version', value: version.join('.') },
    { label: 'Element type', value: dtypeLabel(array.dtype) },
    { label: 'Shape', value: shapeText(array.shape) },
    { label: 'Order', value: array.fortran && array.shape.length > 1 ? 'Fortran (columns first)' : 'C (rows first)' },
  ];
}

function build(value: Value, base: Pick<Model, 'summary' | 'warnings' | 'pickles'> & { error?: ModelError }): Model {
  const storages = new Map<object, string>();
  const parameters = findArrays(value, '', { seen: new Map() }).map((found) => {
    const path = found.path.replace(/^\['(.*)'\]$/, '$1') || 'array';
    return parameterRow({ ...found, path }, storages, 'attribute');
  });
  return {
    ...base,
    format: 'numpy',
    summary: { ...base.summary, totals: totalsOf(parameters) },
    root: {
      path: '',
      name: '',
      kind: 'numpy',
      attributes: [],
      parameters: parameters.map((row) => row.name),
      children: [],
    },
    parameters: ParameterTable.of(parameters),
    signatures: [],
    objects: { root: value, parameters: rowsByObject(parameters, storages) },
    noPrediction: 'This file holds arrays and no model, so there is nothing to predict with.',
  };
}

const NO_TOTALS = { parameters: 0, bytes: 0, byDtype: {} };

/** One array: `.npy`. */
export const npyFormat: Format = {
  id: 'numpy',
  recognise: (head) => (isNpy(head) ? 1 : 0),
  open(input) {
    const file = readNpy(input.source);
    const warnings: Finding[] = [];
    const rest = input.source.size - file.end;
    // `numpy.save` may be called several times on one file; `numpy.load` then reads the first array.
    if (rest > 0) {
      warnings.push({
        rule: 'trailing-bytes',
        severity: 'info',
        message: `${rest} bytes follow the array; numpy.load reads the first array only.`,
        offset: file.end,
      });
    }
    return build(asObject(file.array), {
      summary: {
        title: `array ${shapeText(file.array.shape)}`,
        subtitle: dtypeLabel(file.array.dtype),
        producer: { name: 'NumPy' },
        facts: describeFile(file),
        totals: NO_TOTALS,
      },
      warnings,
      pickles: file.pickle ? [{ member: '', pickle: file.pickle }] : [],
      ...(file.pickle?.error ? { error: file.pickle.error } : {}),
    });
  },
};

/** Whether the members of a zip are arrays: that alone makes it a .npz. */
function holdsArrays(zip: ZipArchive): boolean {
  return (
    zip.members.length > 0 &&
    zip.members.some(isArrayFile) &&
    zip.members.every((member) => isArrayFile(member) || member.isDirectory)
  );
}

function isArrayFile(member: ZipMember): boolean {
  return member.lastNameByte === LETTER_Y && member.name.endsWith('.npy');
}

const LETTER_Y = 0x79;

function zipOf(source: ByteSource): ZipArchive | undefined {
  try {
    return isZip(source) ? openZip(source) : undefined;
  } catch {
    return undefined;
  }
}

/** Several arrays by name: `.npz`. */
export const npzFormat: Format = {
  id: 'numpy',
  recognise(head, input) {
    if (head[0] !== 0x50 || head[1] !== 0x4b) return 0;
    const zip = zipOf(input.source);
    if (!zip) return 0;
    if (holdsArrays(zip)) return 0.95;
    return /\.npz$/i.test(input.name) ? 0.8 : 0;
  },
  open(input) {
    const zip = openZip(input.source);
    const arrays = new Map<Value, Value>();
    const pickles: PickleSection[] = [];
    const warnings: Finding[] = [];
    let error: ModelError | undefined;
    for (const member of zip.members) {
      if (member.isDirectory) continue;
      try {
        const { source, error: damage } = member.open();
        error ??= damage;
        if (!isNpy(readUpTo(source, 0, 8))) {
          warnings.push({
            rule: 'not-an-array',
            severity: 'info',
            message: `${member.name} in the archive is no array.`,
            member: member.name,
          });
          continue;
        }
        const file = readNpy(source);
        arrays.set(member.name.replace(/\.npy$/, ''), asObject(file.array));
        if (file.pickle) pickles.push({ member: member.name, pickle: file.pickle, source });
        error ??= file.pickle?.error;
      } catch (thrown) {
        error ??= asModelError(thrown, `${member.name} in ${input.name}`);
      }
    }
    const sparse = arrays.has('format') && arrays.has('shape') && arrays.has('data');
    const count = arrays.size;
    return build(arrays, {
      summary: {
        title: sparse ? 'sparse matrix' : `${count} ${count === 1 ? 'array' : 'arrays'}`,
        subtitle: [...arrays.keys()].slice(0, 12).join(', '),
        producer: { name: sparse ? 'SciPy' : 'NumPy' },
        facts: [{ label: 'Arrays', value: String(count) }],
        totals: NO_TOTALS,
      },
      warnings,
      pickles,
      ...(error ? { error } : {}),
    });
  },
};
