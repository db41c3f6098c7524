import type { Expression, Statement } from './ast';

/** Calls that only pass on what they get: type statements and the arithmetic of sizes. */
export const TRANSPARENT = new Set([
  'annotate',
  'unchecked_cast',
  'int',
  'float',
  'bool',
  'number',
  'str',
  'len',
  'torch.size',
  'torch.dim',
  'torch.len',
  'torch.__getitem__',
  'torch.__is__',
  'torch.__isnot__',
  'torch.__contains__',
  'torch.device',
  'torch._unwrap_optional',
  'torch.append',
  'ops.prim.NumToTensor',
  'ops.prim.dtype',
  'ops.prim.device',
  'ops.prim.data',
  'ops.prim.unchecked_unwrap_optional',
  'ops.prim.TupleUnpack',
  'ops.prim.min',
  'ops.prim.max',
  'ops.prim.is_cuda',
  'ops.prim.shape',
  'uninitialized',
  'isinstance',
]);

/** `torch.nn.functional.relu` of an attribute chain; `undefined` for anything else. */
export function dottedName(e: Expression): string | undefined {
  const parts: string[] = [];
  let at = e;
  while (at.kind === 'attribute') {
    parts.unshift(at.attribute);
    at = at.value;
  }
  if (at.kind !== 'name') return undefined;
  return [at.id, ...parts].join('.');
}

/** Walks the statements of a body and the blocks inside it, without recursion. */
export function* allStatements(body: readonly Statement[]): Generator<Statement> {
  const pending: Statement[] = [...body].reverse();
  for (let s = pending.pop(); s; s = pending.pop()) {
    yield s;
    if (s.kind === 'if') pending.push(...[...s.body, ...s.otherwise].reverse());
    else if (s.kind === 'for' || s.kind === 'while' || s.kind === 'with') pending.push(...[...s.body].reverse());
  }
}

/** Every expression of a statement, those inside others too, without recursion. */
export function* expressionsOf(s: Statement): Generator<Expression> {
  const pending: (Expression | undefined)[] = [];
  switch (s.kind) {
    case 'assign':
    case 'expression':
    case 'return':
    case 'raise':
      pending.push(s.value);
      break;
    case 'augmented':
      pending.push(s.target, s.value);
      break;
    case 'if':
    case 'while':
      pending.push(s.test);
      break;
    case 'for':
      pending.push(s.iterable);
      break;
  }
  while (pending.length > 0) {
    const e = pending.pop();
    if (!e) continue;
    yield e;
    switch (e.kind) {
      case 'attribute':
      case 'starred':
        pending.push(e.value);
        break;
      case 'subscript':
        pending.push(e.value, e.index);
        break;
      case 'slice':
        pending.push(e.start, e.stop, e.step);
        break;
      case 'call':
        pending.push(e.callee, ...e.args, ...e.keywords.map((k) => k.value));
        break;
      case 'list':
      case 'tuple':
      case 'set':
        pending.push(...e.items);
        break;
      case 'dict':
        for (const { key, value } of e.entries) pending.push(key, value);
        break;
      case 'unary':
        pending.push(e.operand);
        break;
      case 'binary':
        pending.push(e.left, e.right);
        break;
      case 'conditional':
        pending.push(e.test, e.consequent, e.otherwise);
        break;
    }
  }
}

/** Names that assignment targets bind. */
export function namesIn(targets: readonly Expression[]): string[] {
  return targets.flatMap((t) =>
    t.kind === 'name' ? [t.id] : t.kind === 'tuple' || t.kind === 'list' ? namesIn(t.items) : [],
  );
}

/** Names that a body binds, blocks inside it included. */
export function assignedIn(body: readonly Statement[]): string[] {
  const names = new Set<string>();
  for (const s of allStatements(body)) {
    if (s.kind === 'assign') for (const name of namesIn(s.targets)) names.add(name);
    else if (s.kind === 'augmented') for (const name of namesIn([s.target])) names.add(name);
  }
  return [...names];
}

/** Names that a body mentions. */
export function readIn(body: readonly Statement[]): string[] {
  const names = new Set<string>();
  for (const s of allStatements(body)) for (const e of expressionsOf(s)) if (e.kind === 'name') names.add(e.id);
  return [...names];
}

/** Operators and calls of modules and functions in a body; what only passes values on is not counted. */
export function countWork(body: readonly Statement[]): number {
  let count = 0;
  for (const s of allStatements(body)) {
    if (s.kind === 'raise') count++;
    for (const e of expressionsOf(s)) {
      if (e.kind !== 'call') continue;
      const name = dottedName(e.callee);
      if (name === undefined || !(TRANSPARENT.has(name) || name === 'getattr' || name === 'range')) count++;
    }
  }
  return count;
}

/** Whether a body has anything to show: operators, calls or blocks. */
export function hasWork(body: readonly Statement[]): boolean {
  return countWork(body) > 0 || body.some((s) => s.kind === 'if' || s.kind === 'for' || s.kind === 'while');
}
