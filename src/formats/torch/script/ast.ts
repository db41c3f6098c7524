/** The syntax tree of TorchScript code: the part of Python that `torch.jit` writes. Offsets are into the source text. */

export type Expression =
  | { kind: 'name'; id: string; offset: number }
  /** An int keeps every digit; `float` tells `1.0` from `1`. */
  | { kind: 'number'; value: number | bigint; float: boolean; imaginary: boolean; offset: number }
  | { kind: 'string'; value: string; offset: number }
  | { kind: 'constant'; value: null | boolean; offset: number }
  | { kind: 'ellipsis'; offset: number }
  | { kind: 'attribute'; value: Expression; attribute: string; offset: number }
  | { kind: 'subscript'; value: Expression; index: Expression; offset: number }
  | { kind: 'slice'; start?: Expression; stop?: Expression; step?: Expression; offset: number }
  | {
      kind: 'call';
      callee: Expression;
      args: Expression[];
      keywords: { name: string; value: Expression }[];
      offset: number;
    }
  | { kind: 'list'; items: Expression[]; offset: number }
  | { kind: 'tuple'; items: Expression[]; offset: number }
  | { kind: 'set'; items: Expression[]; offset: number }
  | { kind: 'dict'; entries: { key: Expression; value: Expression }[]; offset: number }
  | { kind: 'unary'; operator: string; operand: Expression; offset: number }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression; offset: number }
  | { kind: 'conditional'; test: Expression; consequent: Expression; otherwise: Expression; offset: number }
  | { kind: 'starred'; value: Expression; offset: number };

export interface Parameter {
  name: string;
  annotation?: Expression;
  default?: Expression;
  offset: number;
}

export interface FunctionDefinition {
  kind: 'function';
  name: string;
  parameters: Parameter[];
  returns?: Expression;
  body: Statement[];
  /** Offsets of `def` and of the first character after the body. */
  offset: number;
  end: number;
}

export interface ClassDefinition {
  kind: 'class';
  name: string;
  bases: Expression[];
  body: Statement[];
  offset: number;
  end: number;
}

export type Statement =
  /** `a = value`, `a : T = value`, `a, b, = value`, `a = b = value`; without `value` only an annotation. */
  | { kind: 'assign'; targets: Expression[]; annotation?: Expression; value?: Expression; offset: number }
  | { kind: 'augmented'; target: Expression; operator: string; value: Expression; offset: number }
  | { kind: 'expression'; value: Expression; offset: number }
  | { kind: 'return'; value?: Expression; offset: number }
  | { kind: 'raise'; value?: Expression; offset: number }
  | { kind: 'assert'; test: Expression; message?: Expression; offset: number }
  | { kind: 'delete'; target: Expression; offset: number }
  | { kind: 'if'; test: Expression; body: Statement[]; otherwise: Statement[]; offset: number }
  | { kind: 'for'; target: Expression; iterable: Expression; body: Statement[]; offset: number }
  | { kind: 'while'; test: Expression; body: Statement[]; offset: number }
  | { kind: 'with'; items: { context: Expression; target?: Expression }[]; body: Statement[]; offset: number }
  | { kind: 'pass' | 'break' | 'continue'; offset: number }
  | { kind: 'import'; offset: number }
  | FunctionDefinition
  | ClassDefinition;

export interface Module {
  body: Statement[];
}
