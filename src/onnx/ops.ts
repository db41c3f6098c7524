import type { Attribute, NodeOptions, Value } from './graph';
import { DTYPE_CODES, type Dtype, float64, int64, type Tensor } from './tensor';

/** An operand: a value, or a number that becomes a scalar constant of the other operand's dtype. */
export type Operand = Value | number;

/** Tensors of a `TreeEnsemble` node; see `lowering/sklearn/trees.ts` for how they are made. */
export interface TreeEnsembleAttributes {
  readonly rootIds: readonly number[];
  readonly featureIds: readonly number[];
  /** 0 ≤, 1 <, 2 ≥, 3 >, 4 =, 5 ≠, 6 member of a set. */
  readonly modes: Uint8Array;
  readonly splits: Float64Array;
  readonly trueIds: readonly number[];
  readonly trueLeafs: readonly number[];
  readonly falseIds: readonly number[];
  readonly falseLeafs: readonly number[];
  readonly missingTracksTrue?: readonly number[];
  /** Sets of the member nodes in node order, each ended by NaN. */
  readonly membership?: Float64Array;
  readonly leafTargets: readonly number[];
  readonly leafWeights: Float64Array;
  readonly targets: number;
}

/**
 * Typed helpers for operators, above whatever makes nodes: a graph, or a plan of several graphs. A helper knows the dtype
 * of its result, so that lowerings never write one down twice. Shapes follow NumPy's broadcasting, as in ONNX.
 */
export abstract class Ops {
  abstract nodeWithOutputs(
    op: string,
    inputs: readonly (Value | undefined)[],
    dtypes: readonly Dtype[],
    options?: NodeOptions,
  ): Value[];

  /** A constant, shared with every equal one. */
  abstract constant(tensor: Tensor, name?: string): Value;

  /** Adds a node with one output. An input that is `undefined` is an optional one left out. */
  node(op: string, inputs: readonly (Value | undefined)[], dtype: Dtype, options?: NodeOptions): Value {
    return this.nodeWithOutputs(op, inputs, [dtype], options)[0]!;
  }

  // ---- constants

  scalar(value: number, dtype: Dtype): Value {
    return this.constant(scalarTensor(value, dtype));
  }
  /** A float64 vector, or a tensor of `shape`. */
  doubles(data: ArrayLike<number>, shape?: readonly number[], name?: string): Value {
    return this.constant(float64(data, shape), name);
  }
  ints(data: ArrayLike<number>, shape?: readonly number[]): Value {
    return this.constant(int64(data, shape));
  }

  // ---- arithmetic

  add(a: Operand, b: Operand): Value {
    return this.binary('Add', a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return this.binary('Sub', a, b);
  }
  mul(a: Operand, b: Operand): Value {
    return this.binary('Mul', a, b);
  }
  div(a: Operand, b: Operand): Value {
    return this.binary('Div', a, b);
  }
  pow(a: Operand, b: Operand): Value {
    return this.binary('Pow', a, b);
  }
  max(a: Operand, b: Operand): Value {
    return this.binary('Max', a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.binary('Min', a, b);
  }
  matmul(a: Value, b: Value): Value {
    return this.node('MatMul', [a, b], a.dtype);
  }
  neg(x: Value): Value {
    return this.unary('Neg', x);
  }
  abs(x: Value): Value {
    return this.unary('Abs', x);
  }
  exp(x: Value): Value {
    return this.unary('Exp', x);
  }
  log(x: Value): Value {
    return this.unary('Log', x);
  }
  sqrt(x: Value): Value {
    return this.unary('Sqrt', x);
  }
  square(x: Value): Value {
    return this.mul(x, x);
  }
  reciprocal(x: Value): Value {
    return this.unary('Reciprocal', x);
  }
  sign(x: Value): Value {
    return this.unary('Sign', x);
  }
  floor(x: Value): Value {
    return this.unary('Floor', x);
  }
  ceil(x: Value): Value {
    return this.unary('Ceil', x);
  }
  /** To the nearest integer, halves to even. */
  round(x: Value): Value {
    return this.unary('Round', x);
  }
  sin(x: Value): Value {
    return this.unary('Sin', x);
  }
  cos(x: Value): Value {
    return this.unary('Cos', x);
  }
  tanh(x: Value): Value {
    return this.unary('Tanh', x);
  }
  relu(x: Value): Value {
    return this.unary('Relu', x);
  }
  sigmoid(x: Value): Value {
    return this.unary('Sigmoid', x);
  }
  /**
   * 1 / (1 + exp(-x)), each operation rounded by itself as SciPy's `expit` does. The runtime's Sigmoid approximates: its last
   * bits differ, which shows in 1 - p where p is near 1.
   */
  expit(x: Value): Value {
    return this.div(1, this.add(this.exp(this.neg(x)), 1));
  }
  softmax(x: Value, axis = -1): Value {
    return this.unary('Softmax', x, { axis });
  }
  logSoftmax(x: Value, axis = -1): Value {
    return this.unary('LogSoftmax', x, { axis });
  }
  clip(x: Value, low?: number, high?: number): Value {
    const bound = (value: number | undefined) => (value === undefined ? undefined : this.scalar(value, x.dtype));
    return this.node('Clip', [x, bound(low), bound(high)], x.dtype);
  }
  cumsum(x: Value, axis: number): Value {
    return this.node('CumSum', [x, this.scalar(axis, 'int64')], x.dtype);
  }

  // ---- comparison and logic; results are bool

  equal(a: Operand, b: Operand): Value {
    return this.binary('Equal', a, b, 'bool');
  }
  greater(a: Operand, b: Operand): Value {
    return this.binary('Greater', a, b, 'bool');
  }
  greaterOrEqual(a: Operand, b: Operand): Value {
    return this.binary('GreaterOrEqual', a, b, 'bool');
  }
  less(a: Operand, b: Operand): Value {
    return this.binary('Less', a, b, 'bool');
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.binary('LessOrEqual', a, b, 'bool');
  }
  and(a: Value, b: Value): Value {
    return this.node('And', [a, b], 'bool');
  }
  or(a: Value, b: Value): Value {
    return this.node('Or', [a, b], 'bool');
  }
  not(a: Value): Value {
    return this.node('Not', [a], 'bool');
  }
  isNaN(x: Value): Value {
    return this.node('IsNaN', [x], 'bool');
  }
  where(condition: Value, a: Operand, b: Operand): Value {
    const [x, y] = this.operands(a, b);
    return this.node('Where', [condition, x, y], x.dtype);
  }

  // ---- shape and position

  cast(x: Value, dtype: Dtype): Value {
    if (x.dtype === dtype) return x;
    return this.node('Cast', [x], dtype, { attributes: { to: DTYPE_CODES[dtype] } });
  }
  identity(x: Value, name?: string): Value {
    return this.node('Identity', [x], x.dtype, name === undefined ? {} : { name });
  }
  reshape(x: Value, shape: readonly number[]): Value {
    return this.node('Reshape', [x, this.ints(shape)], x.dtype);
  }
  transpose(x: Value, perm?: readonly number[]): Value {
    return this.node('Transpose', [x], x.dtype, { attributes: { perm } });
  }
  unsqueeze(x: Value, ...axes: number[]): Value {
    return this.node('Unsqueeze', [x, this.ints(axes)], x.dtype);
  }
  squeeze(x: Value, ...axes: number[]): Value {
    return this.node('Squeeze', [x, this.ints(axes)], x.dtype);
  }
  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (!first) throw new TypeError('concat needs at least one value');
    if (values.length === 1) return first;
    return this.node('Concat', values, first.dtype, { attributes: { axis } });
  }
  /** Elements `[start, end)` along `axis`; `end` may be left out. */
  slice(x: Value, axis: number, start: number, end: number = 2 ** 31 - 1, step = 1): Value {
    return this.node('Slice', [x, this.ints([start]), this.ints([end]), this.ints([axis]), this.ints([step])], x.dtype);
  }
  /** One column of a matrix, as a vector. */
  column(x: Value, index: number): Value {
    return this.gather(x, this.scalar(index, 'int64'), 1);
  }
  /** The columns of a matrix at `indices`, in that order. */
  columns(x: Value, indices: ArrayLike<number>): Value {
    return this.gather(x, this.ints(indices), 1);
  }
  gather(x: Value, indices: Value, axis: number): Value {
    return this.node('Gather', [x, indices], x.dtype, { attributes: { axis } });
  }
  gatherElements(x: Value, indices: Value, axis: number): Value {
    return this.node('GatherElements', [x, indices], x.dtype, { attributes: { axis } });
  }
  expand(x: Value, shape: Value): Value {
    return this.node('Expand', [x, shape], x.dtype);
  }
  shape(x: Value): Value {
    return this.node('Shape', [x], 'int64');
  }
  /** The first dimension of `x`, as an int64 vector of one element. */
  rows(x: Value): Value {
    return this.node('Shape', [x], 'int64', { attributes: { start: 0, end: 1 } });
  }
  /** `tensor` (its first dimension 1) repeated for every row of `x`. */
  perRow(x: Value, tensor: Tensor): Value {
    const rest = tensor.shape.slice(1);
    const shape = rest.length === 0 ? this.rows(x) : this.concat([this.rows(x), this.ints(rest)], 0);
    return this.expand(this.constant(tensor), shape);
  }

  // ---- reduction

  reduceSum(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceSum', x, axes, keepdims);
  }
  reduceMean(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceMean', x, axes, keepdims);
  }
  reduceMax(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceMax', x, axes, keepdims);
  }
  reduceMin(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceMin', x, axes, keepdims);
  }
  reduceProd(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceProd', x, axes, keepdims);
  }
  reduceLogSumExp(x: Value, axes?: readonly number[], keepdims = false): Value {
    return this.reduce('ReduceLogSumExp', x, axes, keepdims);
  }
  /** Index of the largest element, the first of equal ones; int64. */
  argmax(x: Value, axis: number, keepdims = false): Value {
    return this.node('ArgMax', [x], 'int64', { attributes: { axis, keepdims: Number(keepdims) } });
  }
  /** Index of the smallest element, the first of equal ones; int64. */
  argmin(x: Value, axis: number, keepdims = false): Value {
    return this.node('ArgMin', [x], 'int64', { attributes: { axis, keepdims: Number(keepdims) } });
  }
  /** The `k` largest (or smallest) along `axis`, sorted, lower index first among equal ones. */
  topK(x: Value, k: number, axis: number, largest = true): [values: Value, indices: Value] {
    const [values, indices] = this.nodeWithOutputs('TopK', [x, this.ints([k])], [x.dtype, 'int64'], {
      attributes: { axis, largest: Number(largest), sorted: 1 },
    });
    return [values!, indices!];
  }

  // ---- ai.onnx.ml

  /** `TreeEnsemble` of ai.onnx.ml 5 on a float64 matrix (rows × features): rows × targets, the sum over trees. */
  treeEnsemble(x: Value, trees: TreeEnsembleAttributes): Value {
    const tensor = (data: Float64Array | Uint8Array, dtype: Dtype) => ({
      tensor: { dtype, shape: [data.length], data },
    });
    return this.node('TreeEnsemble', [x], x.dtype, {
      domain: 'ai.onnx.ml',
      attributes: {
        aggregate_function: 1,
        post_transform: 0,
        n_targets: trees.targets,
        tree_roots: trees.rootIds,
        nodes_featureids: trees.featureIds,
        nodes_modes: tensor(trees.modes, 'uint8'),
        nodes_splits: tensor(trees.splits, 'float64'),
        nodes_truenodeids: trees.trueIds,
        nodes_trueleafs: trees.trueLeafs,
        nodes_falsenodeids: trees.falseIds,
        nodes_falseleafs: trees.falseLeafs,
        nodes_missing_value_tracks_true: trees.missingTracksTrue,
        membership_values: trees.membership && tensor(trees.membership, 'float64'),
        leaf_targetids: trees.leafTargets,
        leaf_weights: tensor(trees.leafWeights, 'float64'),
      },
    });
  }

  private unary(op: string, x: Value, attributes?: Record<string, Attribute>): Value {
    return this.node(op, [x], x.dtype, attributes ? { attributes } : {});
  }

  private binary(op: string, a: Operand, b: Operand, dtype?: Dtype): Value {
    const [x, y] = this.operands(a, b);
    return this.node(op, [x, y], dtype ?? x.dtype);
  }

  private operands(a: Operand, b: Operand): [Value, Value] {
    if (typeof a === 'number' && typeof b === 'number') throw new TypeError('one operand must be a value');
    const x = typeof a === 'number' ? this.scalar(a, (b as Value).dtype) : a;
    const y = typeof b === 'number' ? this.scalar(b, x.dtype) : b;
    if (x.dtype !== y.dtype) throw new TypeError(`operands of dtype ${x.dtype} and ${y.dtype} do not go together`);
    return [x, y];
  }

  private reduce(op: string, x: Value, axes: readonly number[] | undefined, keepdims: boolean): Value {
    const inputs = axes ? [x, this.ints(axes)] : [x];
    return this.node(op, inputs, x.dtype, { attributes: { keepdims: Number(keepdims) } });
  }
}

function scalarTensor(value: number, dtype: Dtype): Tensor {
  if (dtype === 'int64') return int64([value], []);
  if (dtype === 'float64') return float64([value], []);
  if (dtype === 'string') throw new TypeError('a number cannot be a string constant');
  const types = {
    float32: Float32Array,
    int32: Int32Array,
    int16: Int16Array,
    int8: Int8Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  const Type = types[dtype as keyof typeof types];
  if (!Type) throw new TypeError(`scalar constants of dtype ${dtype} are not made from numbers`);
  return { dtype, shape: [], data: Type.of(value) };
}
