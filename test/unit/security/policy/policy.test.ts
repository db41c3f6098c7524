import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ModelError } from '../../../../src/bytes/errors';
import {
  type Classification,
  classify,
  classOfUse,
  extendPolicy,
  isHonestSource,
  type Judge,
  resetPolicy,
} from '../../../../src/security/policy';

function names(file: string): [string, string][] {
  return readFileSync(join(__dirname, '../../../fixtures/security', file), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split('\t') as [string, string]);
}

const failures = (list: [string, string][], good: (found: Classification) => boolean) =>
  list.filter(([module, name]) => !good(classify(module, name))).map(([module, name]) => `${module} ${name}`);

afterEach(resetPolicy);

describe('names that tell', () => {
  it.each([
    'eval',
    'exec_code',
    'system',
    'run_command',
    'import_string',
    'load_pickle',
    'download_file',
    'urlopen',
    'rmtree',
    '_popen2',
  ])('in a package that no policy knows, %s is dangerous when it is called', (name) => {
    const found = classify('somebodys_package.helpers', name);
    expect([found.class, classOfUse(found, 'call'), classOfUse(found, 'reference')]).toEqual([
      'unknown',
      'dangerous',
      'unknown',
    ]);
    expect(found.sentence).toMatch(
      /^somebodys_package\.helpers\.\w+ is known to no policy, and is called like what \w+.* .+\.$/,
    );
  });

  it.each(['_reconstruct', '_unpickle_block', 'Loader', 'make_model', 'Runner', 'from_bytes', 'load_state'])(
    '%s says nothing',
    (name) => {
      expect(classOfUse(classify('somebodys_package.helpers', name), 'call')).toBe('unknown');
    },
  );

  it('says nothing about the loading program', () => {
    expect(classOfUse(classify('__main__', 'run'), 'call')).toBe('unknown');
  });
});

describe('formulas in the state of statsmodels', () => {
  it.each([
    'y ~ x1 + C(x2, Treatment(reference="a")) + np.log(x3)',
    'y ~ bs(x, df=4) - 1 + x1:x2',
    'y ~ Q("a.b") + 0.5',
    'y ~ I(x**2)',
  ])('%s is one', (text) => {
    expect(isHonestSource('formula', text)).toBe(true);
  });

  it.each([
    "y ~ __import__('os').system('x')",
    'y ~ eval(x)',
    "y ~ np.load('x')",
    'y ~ "a".join(x)',
    'y ~ x. real',
    "Q('a\\'') + open(x)",
  ])('%s is none', (text) => {
    expect(isHonestSource('formula', text)).toBe(false);
  });
});

describe('dangerous names', () => {
  it('covers every callable known to be dangerous', () => {
    expect(failures(names('gadgets.txt'), (found) => found.class === 'dangerous')).toEqual([]);
  });

  it('covers everything that other scanners refuse, without exception', () => {
    const list = names('denied.txt').map(([module, name]): [string, string] => [
      module,
      name === '*' ? 'some_name_of_tomorrow' : name,
    ]);
    expect(failures(list, (found) => found.class === 'dangerous')).toEqual([]);
  });

  it('gives each published advisory to its callable', () => {
    for (const [path, advisory] of names('advisories.txt')) {
      const parts = path.split('.');
      // However the path is divided into module and name, a loader finds the same callable.
      for (let i = 1; i < parts.length; i++) {
        const found = classify(parts.slice(0, i).join('.'), parts.slice(i).join('.'));
        expect([path, found.class], path).toEqual([path, 'dangerous']);
      }
      const last = classify(parts.slice(0, -1).join('.'), parts.at(-1)!);
      expect([path, last.advisory]).toEqual([path, advisory]);
    }
  });

  it('says what would happen, in a sentence', () => {
    for (const [module, name] of [...names('gadgets.txt'), ...names('denied.txt')]) {
      const found = classify(module, name);
      expect(found.category, `${module} ${name}`).toBeTruthy();
      expect(found.sentence, `${module} ${name}`).toMatch(/^\S.* \S.*\.$/);
      expect(found.sentence).not.toMatch(/undefined|\.\.$/);
    }
    expect(classify('os', 'system').sentence).toBe('os.system runs a shell command.');
  });
});

describe('names that honest files import', () => {
  /** Honest and dangerous: what they are given decides, so the verdict looks at the arguments. */
  const JUDGED: Record<string, Judge> = {
    'builtins.getattr': 'attribute',
    'operator.attrgetter': 'attribute',
    'operator.methodcaller': 'attribute',
    'operator.itemgetter': 'key',
    'functools.partial': 'holds',
    'torch.storage._load_from_bytes': 'pickle',
    'cloudpickle.cloudpickle._builtin_type': 'type-name',
    'cloudpickle.cloudpickle._function_setstate': 'code',
    'cloudpickle.cloudpickle._make_function': 'code',
    'dill._dill._create_code': 'code',
    'dill._dill._create_function': 'code',
  };

  it('are known, except those whose arguments decide', () => {
    const wrong: string[] = [];
    for (const [module, name] of names('benign-globals.txt')) {
      const found = classify(module, name);
      const judge = JUDGED[`${module}.${name}`];
      if (judge ? found.judge !== judge : found.class !== 'known') wrong.push(`${module} ${name}: ${found.class}`);
    }
    expect(wrong).toEqual([]);
  });

  it('include estimators and layers of every version', () => {
    for (const [module, name] of [
      ['sklearn.ensemble.forest', 'RandomForestClassifier'],
      ['sklearn.ensemble._forest', 'RandomForestClassifier'],
      ['sklearn.tree.tree', 'DecisionTreeRegressor'],
      ['sklearn.svm.classes', 'SVR'],
      ['sklearn.gaussian_process.kernels', 'Matern'],
      ['sklearn.ensemble._gb_losses', 'BinomialDeviance'],
      ['scipy.sparse.csr', 'csr_matrix'],
      ['numpy.matrixlib.defmatrix', 'matrix'],
      ['pandas.core.internals.blocks', 'new_block'],
      ['pandas._libs.tslibs.offsets', 'BusinessDay'],
      ['torch.nn.modules.transformer', 'TransformerDecoderLayer'],
      ['torch.nn.quantized.modules.conv', 'Conv2d'],
      ['torch.ao.nn.quantized.modules.linear', 'Linear'],
      ['torchvision.models.resnet', 'Bottleneck'],
      ['xgboost.sklearn', 'XGBClassifier'],
      ['lightgbm.sklearn', 'LGBMRegressor'],
      ['catboost.core', 'CatBoostClassifier'],
      ['imblearn.over_sampling._smote.base', 'SMOTE'],
      ['ultralytics.nn.tasks', 'DetectionModel'],
      ['__torch__.my.___torch_mangle_3', 'Net'],
    ]) {
      expect([module, name, classOfUse(classify(module, name), 'instantiate')]).toEqual([module, name, 'known']);
    }
  });

  it('include the functions that restore compiled objects and arrays', () => {
    for (const [module, name] of [
      ['sklearn.neighbors._dist_metrics', 'newObj'],
      ['sklearn.neighbors.kd_tree', 'newObj'],
      ['_loss', '__pyx_unpickle_CyHalfMultinomialLoss'],
      ['numpy.core.multiarray', '_reconstruct'],
      ['pandas._libs.internals', '_unpickle_block'],
      ['torch._utils', '_rebuild_tensor_v2'],
      ['copy_reg', '_reconstructor'],
    ])
      expect([module, name, classOfUse(classify(module, name), 'call')]).toEqual([module, name, 'known']);
  });

  it('are judged by use: a function may be referred to, not called', () => {
    const relu = classify('torch.nn.functional', 'relu');
    expect(classOfUse(relu, 'reference')).toBe('known');
    expect(classOfUse(relu, 'call')).toBe('dangerous');
    const booster = classify('xgboost.core', 'Booster');
    expect(classOfUse(booster, 'instantiate')).toBe('known');
    expect(classOfUse(booster, 'call')).toBe('dangerous');
  });

  it('marks distributions of scipy, whose state is source text that scipy runs', () => {
    expect(classify('scipy.stats._continuous_distns', 'norm_gen')).toMatchObject({ class: 'known', judge: 'state' });
    // What scipy 1.6 to 1.17 keep for `beta` and `poisson`.
    const honest = (shapes: string, given: string, out: string) =>
      `\ndef _parse_args(self, ${shapes} ${given}):\n    return (${shapes}), ${out}\n\n` +
      `def _parse_args_rvs(self, ${shapes} ${given}, size=None):\n    return self._argcheck_rvs(${shapes} ${out}, size=size)\n\n` +
      `def _parse_args_stats(self, ${shapes} ${given}, moments='mv'):\n    return (${shapes}), ${out}, moments\n`;
    const beta = honest('a, b, ', 'loc=0, scale=1', 'loc, scale');
    expect(isHonestSource('_parse_arg_template', beta)).toBe(true);
    expect(isHonestSource('_parse_arg_template', honest('', 'loc=0', 'loc, 1'))).toBe(true);
    expect(isHonestSource('_parse_arg_template', `${beta}import os\n`)).toBe(false);
    expect(isHonestSource('_parse_arg_template', honest('a=print(1), ', 'loc=0', 'loc, 1'))).toBe(false);
    expect(isHonestSource('_parse_arg_template', honest('__import__("os"), ', 'loc=0', 'loc, 1'))).toBe(false);
    expect(isHonestSource('another_attribute', beta)).toBe(false);
  });
});

describe('names as a loader resolves them', () => {
  it.each([
    // GHSA-5j3x-jp52-966f: dotted names below a trusted module
    ['torch', 'serialization.os.system', 'os.system'],
    ['pathlib', 'os.system', 'os.system'],
    ['random', '_os.system', 'os.system'],
    ['sklearn.utils', 'os.system', 'os.system'],
    ['collections', '_sys.modules', 'sys.modules'],
    ['sysconfig', 'prefix.os.system', 'os.system'],
    ['pandas', 'core.frame.np.load', 'numpy.load'],
    ['torch', 'sys', 'sys'],
    ['numpy', '__builtins__', 'builtins'],
  ])('%s / %s is %s', (module, name, resolved) => {
    expect(classify(module, name)).toMatchObject({ class: 'dangerous', resolved });
  });

  it.each([
    ['collections', 'namedtuple.__globals__'],
    ['sklearn.svm._classes', 'SVC.__init__.__globals__'],
    ['builtins', '__dict__.get'],
    ['my_package', 'Thing.__subclasses__'],
    ['pathlib', 'Path.write_text'],
    ['lightgbm.basic', 'Booster.save_model'],
    ['torch.hub', 'anything'],
    ['torch', 'hub'],
    ['asyncio.unix_events', '_UnixSubprocessTransport._start'],
    // CPython's rule is per component, so an empty one does not hide the rest
    ['os', 'system.'],
  ])('%s / %s is dangerous', (module, name) => {
    expect(classify(module, name).class).toBe('dangerous');
  });

  it('re-exports stand for what they export', () => {
    expect(classify('sklearn.svm', 'SVC')).toMatchObject({ class: 'known', resolved: 'sklearn.svm._classes.SVC' });
    for (const [module, name] of [
      ['numpy.testing', 'runstring'],
      ['requests', 'get'],
      ['io', 'FileIO'],
      ['torch', 'load'],
      ['numpy.f2py', 'getlincoef'],
      ['http.client', 'HTTPSConnection'],
    ])
      expect(classify(module, name).class).toBe('dangerous');
  });

  it('Python 2 names stand for what they became', () => {
    for (const [module, name] of [
      ['commands', 'getoutput'],
      ['urllib2', 'urlopen'],
      ['cPickle', 'loads'],
      ['SocketServer', 'TCPServer'],
      ['anydbm', 'open'],
      ['__builtin__', 'execfile'],
      ['__builtin__', 'apply'],
    ])
      expect(classify(module, name).class, `${module}.${name}`).toBe('dangerous');
    expect(classify('copy_reg', '_reconstructor').class).toBe('known');
    expect(classify('UserDict', 'UserDict').class).toBe('known');
  });

  it('modules that act when they are imported are dangerous whatever is taken from them', () => {
    for (const module of ['antigravity', 'this', 'idlelib.idle', 'test.test_os', 'my_package.__main__'])
      expect(classify(module, 'x').class, module).toBe('dangerous');
  });
});

describe('names that no list knows', () => {
  it('are dangerous to call when they belong to Python or to an analysed package', () => {
    for (const [module, name] of [
      ['colorsys', 'rgb_to_hls'],
      ['zipfile_of_tomorrow_is_not_python', 'x'],
      ['numpy', 'function_of_tomorrow'],
    ]) {
      const found = classify(module, name);
      expect(found.class).toBe('unknown');
      expect(classOfUse(found, 'instantiate')).toBe('unknown');
      expect([module, classOfUse(found, 'call')]).toEqual([
        module,
        module.startsWith('zipfile_of') ? 'unknown' : 'dangerous',
      ]);
    }
  });

  it('may be referred to when they are methods of a vetted class, and nothing else', () => {
    const found = classify('sklearn.svm._classes', 'SVC.fit');
    expect(classOfUse(found, 'reference')).toBe('known');
    expect(classOfUse(found, 'instantiate')).toBe('dangerous');
    expect(classOfUse(found, 'call')).toBe('dangerous');
    for (const name of ['SVC.fit.__globals__', 'SVC.fit.os', 'SVC.a.b', 'SVC.__init__', 'SVC.os'])
      expect(classOfUse(classify('sklearn.svm._classes', name), 'reference'), name).not.toBe('known');
  });

  it('are unknown otherwise, differences of case and width included', () => {
    for (const [module, name] of [
      ['my_project.models', 'Net'],
      ['__main__', 'Net'],
      ['Os', 'system'],
      ['ｏｓ', 'system'],
      ['posix\r', 'system'],
      ['', ''],
      ['a b', 'c d'],
    ])
      expect(classify(module, name).class, module).toBe('unknown');
  });

  it('never throws, whatever the text', () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom('os', 'torch', 'numpy', '*', '__class__', '_os', 'constructor', 'x'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 80 }), fc.array(part, { maxLength: 80 }), (module, name) => {
        const found = classify(module.join('.'), name.join('.'));
        expect(['known', 'unknown', 'dangerous']).toContain(found.class);
        expect(['known', 'unknown', 'dangerous']).toContain(classOfUse(found, 'call'));
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe('a policy file', () => {
  it('vets names, and names below a prefix', () => {
    extendPolicy({
      vetted: [
        { name: 'my_project.models.*', reason: 'our own layers' },
        { name: 'my_project.tools.restore', uses: ['call'], reason: 'pure' },
      ],
    });
    const net = classify('my_project.models.vision', 'Net');
    expect(net.reason).toContain('our own layers');
    expect(classOfUse(net, 'instantiate')).toBe('known');
    expect(classOfUse(net, 'call')).toBe('unknown');
    expect(classOfUse(classify('my_project.tools', 'restore'), 'call')).toBe('known');
    expect(classify('my_project.models_of_others', 'Net').class).toBe('unknown');
  });

  it('can forbid names', () => {
    extendPolicy({ dangerous: [{ name: 'sklearn.svm.*', reason: 'not ours' }] });
    expect(classify('sklearn.svm._classes', 'SVC').class).toBe('dangerous');
  });

  it('does not make a dangerous name safe by the way', () => {
    extendPolicy({
      vetted: [
        { name: 'os.*', reason: 'wanted' },
        { name: 'os.system', reason: 'wanted' },
        { name: 'torch.*', reason: 'wanted' },
      ],
    });
    expect(classify('os', 'system').class).toBe('dangerous');
    expect(classify('torch', 'serialization.os.system').class).toBe('dangerous');
  });

  it('does so only for one name in full that says override', () => {
    extendPolicy({
      vetted: [{ name: 'joblib.memory.MemorizedFunc', override: true, uses: ['instantiate'], reason: 'cache' }],
    });
    expect(classOfUse(classify('joblib.memory', 'MemorizedFunc'), 'instantiate')).toBe('known');
    expect(classify('joblib.memory', 'MemorizedResult').class).toBe('dangerous');
  });

  it.each([
    [[], 'object'],
    [{ vetted: 'x' }, 'list'],
    [{ vetted: [{ name: 'a.b' }] }, 'reason'],
    [{ vetted: [{ name: 'a*b', reason: 'r' }] }, 'name'],
    [{ vetted: [{ name: 'os.*', reason: 'r', override: true }] }, 'override'],
    [{ vetted: [{ name: 'a.b', reason: 'r', uses: ['run'] }] }, 'uses'],
    [{ vettted: [] }, 'vettted'],
    [{ vetted: [{ name: 'a.b', reason: 'r', use: ['call'] }] }, '"use"'],
  ])('is refused with a reason: %j', (json, word) => {
    expect(() => extendPolicy(json)).toThrow(ModelError);
    expect(() => extendPolicy(json)).toThrow(word);
  });
});

describe('the data', () => {
  const data = join(__dirname, '../../../../src/security/policy/data/policy.tsv');

  it('fits into the bundle', () => {
    expect(readFileSync(data, 'utf8').length).toBeLessThan(600_000);
  });

  it('is sorted, front-coded and complete', () => {
    const [rules, entries, aliases] = readFileSync(data, 'utf8').split('\n\n');
    const count = rules.split('\n').length;
    for (const rule of rules.split('\n')) expect(rule.split('\t')).toHaveLength(7);
    let depth = 0;
    for (const line of [...entries.split('\n'), ...aliases.trim().split('\n')]) {
      const [path, value, listed] = line.split('\t');
      expect(line).toMatch(/^\d[\w.]*\t[\w.]+\t\S/);
      if (path[0] !== '0') expect(Number(path[0])).toBeLessThanOrEqual(depth);
      depth = Number(path[0]) + (path.length > 1 ? path.split('.').length : 0);
      if (/^\d+$/.test(value)) expect(Number(value)).toBeLessThan(count);
      expect(listed).not.toMatch(/ {2}/);
    }
  });
});
