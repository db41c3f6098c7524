import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/bytes/errors';
import { FileInput } from '../../../src/engine/input';
import { openModel } from '../../../src/formats/registry';
import { ScriptModel } from '../../../src/formats/torch';
import { parseScript } from '../../../src/formats/torch/script/parser';
import { expressionText } from '../../../src/formats/torch/script/text';

/** The first statement's value as text again. */
function roundTrip(source: string): string {
  const [statement] = parseScript(source).body;
  if (statement.kind !== 'assign' && statement.kind !== 'expression') throw new Error(statement.kind);
  return statement.value ? expressionText(statement.value) : '';
}

describe('TorchScript code', () => {
  it('keeps precedence, calls with a trailing comma, literals of every kind', () => {
    expect(parseScript('a + b * c ** -d').body).toMatchObject([
      {
        value: {
          kind: 'binary',
          operator: '+',
          right: { kind: 'binary', operator: '*', right: { operator: '**', right: { kind: 'unary' } } },
        },
      },
    ]);
    expect(roundTrip('x1 = (module).forward(x, )')).toBe('module.forward(x)');
    expect(roundTrip('x = torch.add(a, 1.0000000000000001e-05, alpha=9223372036854775807)')).toBe(
      'torch.add(a, 1e-05, alpha=9223372036854775807)',
    );
    expect(roundTrip('x = [None, True, -1, 1.]')).toBe('[None, True, -1, 1.0]');
    expect(roundTrip('x = {"a": (1,), "b": c[_10]}')).toBe("{'a': (1,), 'b': c[_10]}");
    expect(roundTrip('x = annotate(List[int], [])')).toBe('[]');
    expect(roundTrip('x = not a and b or c')).toBe('not a and b or c');
    expect(roundTrip('x = a if b else c')).toBe('a if b else c');
    expect(roundTrip('x = y[1:2, ::3]')).toBe('y[1:2, ::3]');
  });

  it('keeps integers beyond 2^53 exact', () => {
    expect(parseScript('x = 9223372036854775807').body).toMatchObject([{ value: { value: 9223372036854775807n } }]);
  });

  it('reads classes with annotated fields, quoted names and methods over several lines', () => {
    const [cls] = parseScript(
      'class Net(Module):\n  __parameters__ = ["w", ]\n  training : bool\n  scale : Final[int] = 2\n  __annotations__["0"] = __torch__.A\n' +
        '  def forward(self: __torch__.Net,\n    x: Tensor,\n    n: int=3) -> Tuple[Tensor, int]:\n    a, b, = x, n\n    if bool(a):\n      pass\n    else:\n      for i in range(n):\n        a = b\n    while True:\n      a = b\n    return (a, b)\n',
    ).body;
    expect(cls).toMatchObject({ kind: 'class', name: 'Net' });
    if (cls.kind !== 'class') return;
    const method = cls.body.find((s) => s.kind === 'function');
    expect(method).toMatchObject({
      name: 'forward',
      parameters: [{ name: 'self' }, { name: 'x' }, { name: 'n', default: { value: 3 } }],
    });
    if (method?.kind !== 'function') return;
    expect(method.body.map((s) => s.kind)).toEqual(['assign', 'if', 'while', 'return']);
    expect(method.body[1]).toMatchObject({ body: [{ kind: 'pass' }], otherwise: [{ kind: 'for' }] });
  });

  it('says where code stops being code, and refuses nesting that only an attack has', () => {
    expect(() => parseScript('x = (1\ny = 2', 'code/net.py')).toThrow(/code\/net\.py, line 2/);
    expect(() => parseScript(`x = ${'('.repeat(100_000)}1${')'.repeat(100_000)}`)).toThrow(ModelError);
    expect(() => parseScript(`x = ${'-'.repeat(100_000)}1`)).toThrow(ModelError);
    expect(parseScript(`x = ${Array.from({ length: 50_000 }, () => '1').join(' + ')}`).body.length).toBe(1);
    expect(parseScript(`if a:\n  pass\n${'elif b:\n  pass\n'.repeat(20_000)}`).body.length).toBe(1);
  });

  it('takes shape and type of inputs from the example that a trace keeps', () => {
    const model = openModel(new FileInput(path.join(__dirname, '../../fixtures/torch/2.13/traced.pt')));
    expect(model.signatures[0].inputs).toMatchObject([{ name: 'x', dtype: 'float32', shape: [1, 3, 8, 8] }]);
  });

  it('draws both arms of a branch and the body of a loop as groups to open', () => {
    const file = path.join(__dirname, '../../fixtures/torch/2.13/scripted.pt');
    expect(fs.existsSync(file)).toBe(true);
    const model = openModel(new FileInput(file));
    expect(model).toBeInstanceOf(ScriptModel);
    const level = model.graph?.level('forward', '');
    const loop = level?.nodes.find((n) => n.op === 'for');
    expect(loop?.path).toBeDefined();
    const inner = model.graph?.level('forward', loop?.path as string);
    const arms = inner?.nodes.filter((n) => n.op === 'if') ?? [];
    expect(arms.length).toBe(2);
    const kinds = arms.flatMap((arm) => model.graph?.level('forward', arm.path as string).nodes ?? []);
    expect(kinds.some((n) => n.op === 'Linear' && n.path === 'fc:forward')).toBe(true);
    expect(kinds.some((n) => n.op === 'sub')).toBe(true);
  });
});
