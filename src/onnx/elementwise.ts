import type { Value } from './graph';
import { NodeMaker, type Operand } from './node-maker';

/** Operators on each element: arithmetic, comparison, logic. */
export abstract class Elementwise extends NodeMaker {
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
}
