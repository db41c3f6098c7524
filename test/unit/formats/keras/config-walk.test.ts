import { describe, expect, it } from 'vitest';
import { walkConfig } from '../../../../src/formats/keras/config-walk';
import type { Json } from '../../../../src/formats/keras/literal';

describe('objects of a Keras configuration', () => {
  it('finds classes, registered names, functions and lambdas with their code', () => {
    const config: Json = {
      module: 'keras',
      class_name: 'Sequential',
      registered_name: null,
      config: {
        layers: [
          { module: 'my.layers', class_name: 'Odd', registered_name: 'my>Odd', config: {} },
          { class_name: 'Lambda', config: { function: ['4wEAAA==\n', null, null] } },
          { class_name: 'Lambda', config: { function: { class_name: '__lambda__', config: { code: 'AAAA' } } } },
          {
            class_name: 'Dense',
            config: {
              activation: { module: 'builtins', class_name: 'function', config: 'swish2', registered_name: 'swish2' },
            },
          },
        ],
      },
    };
    const found = [...walkConfig(config)].map((e) => [e.path, e.className, e.module, e.lambda, e.code, e.functionName]);
    expect(found).toEqual([
      ['config', 'Sequential', 'keras', false, undefined, undefined],
      ['config.config.layers[0]', 'Odd', 'my.layers', false, undefined, undefined],
      ['config.config.layers[1]', 'Lambda', undefined, true, '4wEAAA==\n', undefined],
      ['config.config.layers[2]', 'Lambda', undefined, true, undefined, undefined],
      ['config.config.layers[2].config.function', '__lambda__', undefined, true, 'AAAA', undefined],
      ['config.config.layers[3]', 'Dense', undefined, false, undefined, undefined],
      ['config.config.layers[3].config.activation', 'function', 'builtins', false, undefined, 'swish2'],
    ]);
  });

  it('does not mind depth', () => {
    let deep: Json = { class_name: 'Inner', config: {} };
    for (let i = 0; i < 20_000; i++) deep = { a: deep };
    expect([...walkConfig(deep)].map((e) => e.className)).toEqual(['Inner']);
  });
});
