import { Elementwise } from './elementwise';
import type { Value } from './graph';
import { DTYPE_CODES, type Dtype, type Tensor } from './tensor';

export type { Operand } from './node-maker';

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
export abstract class Ops extends Elementwise {
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
}
