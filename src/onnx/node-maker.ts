import type { Attribute, NodeOptions, Value } from './graph';
import { type Dtype, float64, int64, type Tensor } from './tensor';

/** An operand: a value, or a number that becomes a scalar constant of the other operand's dtype. */
export type Operand = Value | number;

/** What makes nodes and constants, and the forms that most operators have: of one operand, of two, along axes. */
export abstract class NodeMaker {
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

  protected unary(op: string, x: Value, attributes?: Record<string, Attribute>): Value {
    return this.node(op, [x], x.dtype, attributes ? { attributes } : {});
  }

  protected binary(op: string, a: Operand, b: Operand, dtype?: Dtype): Value {
    const [x, y] = this.operands(a, b);
    return this.node(op, [x, y], dtype ?? x.dtype);
  }

  protected operands(a: Operand, b: Operand): [Value, Value] {
    if (typeof a === 'number' && typeof b === 'number') throw new TypeError('one operand must be a value');
    const x = typeof a === 'number' ? this.scalar(a, (b as Value).dtype) : a;
    const y = typeof b === 'number' ? this.scalar(b, x.dtype) : b;
    if (x.dtype !== y.dtype) throw new TypeError(`operands of dtype ${x.dtype} and ${y.dtype} do not go together`);
    return [x, y];
  }

  protected reduce(op: string, x: Value, axes: readonly number[] | undefined, keepdims: boolean): Value {
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
