import { type ByteSource, SliceSource } from '../../bytes/byte-source';
import type { Scanner } from '../scanner';
import { leavesFolder } from './paths';
import { topFields, type WireField } from './wire';

/** Operator sets that runtimes bring along. */
const DOMAINS =
  /^$|^ai\.onnx(\.ml|\.training|\.preview(\.training)?)?$|^com\.microsoft(\.\w+)*$|^ai\.onnx\.contrib$|^org\.pytorch\.\w+$|^pkg\.\w[\w.]*$|^ai\.graphcore$|^onnxruntime$/;

/** Operators of ONNX Runtime and its extensions that call Python. */
const PYTHON_OPERATORS = /^(PythonOp|PythonOpGrad|PyOp|PyCustomOp|PyCustomOpDef|TorchScriptOp)$/;

/** Messages that are looked into; the graph of a large model has some 100,000 nodes and tensors. */
const MAX_MESSAGES = 3_000_000;

/** GraphProto, NodeProto, AttributeProto, TensorProto and FunctionProto, by what a field leads to. */
type Message =
  | 'model'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'tensor'
  | 'sparse'
  | 'function'
  | 'entry'
  | 'opset'
  | 'training';

const CHILDREN: Record<Message, Partial<Record<number, Message>>> = {
  model: { 7: 'graph', 8: 'opset', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  function: { 7: 'node', 9: 'opset', 11: 'attribute' },
  entry: {},
  opset: {},
};

/**
 * Judges an ONNX model: where its external data lies, and operator sets that only a native library of its own can run. Field numbers from
 * `onnx.proto`. Raw tensor data is skipped.
 */
export function scanOnnx(scanner: Scanner, source: ByteSource, member: string): void {
  const pending: { kind: Message; from: number; to: number }[] = [{ kind: 'model', from: 0, to: source.size }];
  const locations = new Set<string>();
  const domains = new Map<string, number>();
  const own = new Set<string>();
  const python = new Map<string, number>();
  let messages = 0;
  const text = (field: WireField, base: number): string =>
    Buffer.from(source.read(base + field.from, Math.min(field.to - field.from, 4096))).toString('utf8');
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (++messages > MAX_MESSAGES) {
      scanner.cover(member, source.size, 'ONNX model', `only the first ${MAX_MESSAGES} messages were looked at`);
      break;
    }
    const { kind, from, to } = next;
    const fields = topFields(new SliceSource(source, from, to - from, source.name), 10_000_000);
    if (!fields) {
      scanner.finding({
        rule: 'damaged-graph',
        severity: 'suspicious',
        member,
        offset: from,
        message: `A part of the ONNX model (${kind}) at byte ${from} cannot be read.`,
      });
      continue;
    }
    if (kind === 'entry') {
      const key = fields.find((f) => f.field === 1);
      const value = fields.find((f) => f.field === 2);
      if (key && value && text(key, from) === 'location') locations.add(text(value, from));
      continue;
    }
    for (const field of fields) {
      if (field.wire !== 2) continue;
      if (kind === 'node' && field.field === 4 && PYTHON_OPERATORS.test(text(field, from)))
        python.set(text(field, from), from);
      if (kind === 'node' && field.field === 7) domains.set(text(field, from), from);
      if (kind === 'opset' && field.field === 1 && !domains.has(text(field, from))) domains.set(text(field, from), -1);
      if (kind === 'function' && field.field === 10) own.add(text(field, from));
      const child = CHILDREN[kind][field.field];
      if (child) pending.push({ kind: child, from: from + field.from, to: from + field.to });
    }
  }
  for (const location of locations) {
    if (!leavesFolder(location)) continue;
    scanner.finding({
      rule: 'external-data-path',
      severity: 'dangerous',
      member,
      call: `external_data location=${JSON.stringify(location.slice(0, 300))}`,
      message: `Tensor data is said to lie in ${JSON.stringify(location.slice(0, 300))}, outside of the model’s folder: a runtime reads that file of this computer.`,
      advice: 'Do not load it; external data belongs beside the model.',
      advisory: 'CVE-2022-25882',
    });
  }
  for (const [operator, at] of python) {
    scanner.finding({
      rule: 'dangerous-operator',
      severity: 'dangerous',
      member,
      offset: at,
      name: operator,
      message: `The operator ${operator} calls a Python function of the loading program when the model runs.`,
      advice: 'Do not run this model unless you know why it does that; a model for prediction needs no such operator.',
    });
  }
  for (const [domain, at] of domains) {
    if (at < 0 || DOMAINS.test(domain) || own.has(domain)) continue;
    scanner.finding({
      rule: 'custom-operators',
      severity: 'suspicious',
      member,
      offset: at,
      message: `The model uses operators of the domain ${JSON.stringify(domain.slice(0, 100))}, which need a native library of its author.`,
      advice: 'Load such a library only if you trust whoever built it.',
    });
  }
  const beside = locations.size > 0 ? ` with external data in ${[...locations].slice(0, 5).join(', ')}` : '';
  scanner.cover(member, source.size, `ONNX model${beside}`);
}
