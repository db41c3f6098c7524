import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileInput } from '../../../src/engine/input';
import { ModelSession } from '../../../src/engine/session';
import { openModel } from '../../../src/formats/registry';
import type { Model } from '../../../src/model/model';
import { readNumbers } from '../../../src/tensors/elements';

const FOLDER = path.join(__dirname, '../../fixtures/torch/frameworks');

function open(name: string): Model {
  return openModel(new FileInput(path.join(FOLDER, name)));
}

function fact(model: Model, label: string): string[] {
  return model.summary.facts.filter((f) => f.label === label).map((f) => f.value);
}

function snippet(model: Model, label: string): string | undefined {
  return model.summary.snippets?.find((s) => s.label === label)?.code;
}

describe('checkpoints of training frameworks', () => {
  it('Lightning: version, optimiser by class, scheduler, settings by value, averaged weights', () => {
    const model = open('lightning.ckpt');
    expect(model.summary.producer?.name).toBe('PyTorch Lightning');
    expect(model.summary.producer?.version).toMatch(/^2\./);
    expect(fact(model, 'Epoch')).toEqual(['2']);
    expect(fact(model, 'Step')).toEqual(['8']);
    expect(fact(model, 'Optimiser')[0]).toMatch(/^AdamW, learning rate /);
    expect(fact(model, 'Scheduler')[0]).toMatch(/^SWALR, last epoch /);
    expect(fact(model, 'Hyper-parameters')).toEqual(['hidden=6, rate=0.01']);
    expect(fact(model, 'State dictionary')).toEqual([
      'state_dict (4 tensors)',
      'callbacks.StochasticWeightAveraging.average_model_state (4 tensors)',
    ]);
  });

  it('DeepSpeed: step, configuration, and the optimiser of a partition', () => {
    const model = open('deepspeed/mp_rank_00_model_states.pt');
    expect(model.summary.producer).toEqual({ name: 'DeepSpeed', version: '0.19.8' });
    expect(fact(model, 'Step')).toEqual(['2']);
    expect(fact(model, 'Configuration')[0]).toContain("zero_optimization={'stage': 2}");
    const zero = open('deepspeed/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt');
    expect(fact(zero, 'zero_stage')).toEqual(['2']);
    expect(fact(zero, 'Optimiser')[0]).toMatch(/^AdamW, learning rate 0.001, /);
  });

  it('Ultralytics: the averaged module in half precision, its arguments, its version', () => {
    const model = open('ultralytics.pt');
    expect(model.summary.producer).toEqual({ name: 'Ultralytics', version: '8.4.190' });
    expect(fact(model, 'Hyper-parameters')[0]).toBe("task='detect', model='tiny.yaml', imgsz=64, lr0=0.01");
    expect(fact(model, 'Updates')).toEqual(['12']);
    const kinds = new Set<string>();
    const pending = [model.root];
    for (let node = pending.pop(); node; node = pending.pop()) {
      kinds.add(node.kind);
      pending.push(...node.children);
    }
    for (const kind of ['DetectionModel', 'C2f', 'Detect', 'DFL']) expect(kinds).toContain(kind);
  });

  it('fastai: its own kind of optimiser', () => {
    expect(fact(open('fastai.pth'), 'Optimiser')).toEqual([
      'Adam or a relative (fastai), learning rate 0.001, state of 4 parameters',
    ]);
  });

  it('wrappers are said, and taken off by the code that loads', () => {
    const model = open('averaged/compiled.pt');
    expect(fact(model, 'Wrapped by')).toEqual(['torch.compile, DataParallel or DistributedDataParallel']);
    expect(snippet(model, 'Load safely')).toContain('k.removeprefix("_orig_mod.module.")');
    expect(snippet(model, 'Skeleton module')).toContain('self.register_parameter("weight"');
  });
});

describe('nets of skorch', () => {
  it('have the modules that are pickled a second time inside, and their optimiser', () => {
    const model = open('skorch/net.pkl');
    const rows = [...model.parameters].map((row) => row.name);
    for (const name of ['module_.0.weight', 'module_.2.bias', 'optimizer_.state.0.exp_avg'])
      expect(rows).toContain(name);
    const weight = [...model.parameters].find((row) => row.name === 'module_.0.weight');
    const golden = JSON.parse(fs.readFileSync(path.join(FOLDER, 'skorch/net.golden.json'), 'utf8'));
    expect(weight?.kind).toBe('parameter');
    expect(weight?.tensor && [...readNumbers(weight.tensor, 0, 4)]).toEqual(golden.tensors['module_.0.weight'].values);
    const moments = [...model.parameters].filter((row) => row.name.startsWith('optimizer_.state.'));
    expect(new Set(moments.map((row) => row.kind))).toEqual(new Set(['attribute']));
  });
});

describe('modules of torch.fx', () => {
  it('are modules with their own names, and show the code of their graph', () => {
    const model = open('graphs/fx.pt');
    expect([...model.parameters].map((row) => [row.name, row.kind])).toEqual([
      ['0.weight', 'parameter'],
      ['0.bias', 'parameter'],
      ['1.weight', 'parameter'],
      ['1.bias', 'parameter'],
      ['1.running_mean', 'buffer'],
      ['1.running_var', 'buffer'],
      ['1.num_batches_tracked', 'buffer'],
    ]);
    expect(model.root.children.slice(0, 3).map((node) => node.kind)).toEqual(['Linear', 'BatchNorm1d', 'ReLU']);
    const code = fs.readFileSync(path.join(FOLDER, 'graphs/fx.code.txt'), 'utf8');
    expect(model.sources?.map((source) => source.text().trim())).toEqual([code.trim()]);
  });
});

it('the rank of an adapter is what its first layer gives, also of a convolution', () => {
  expect(open('values/lora.pt').summary.subtitle).toMatch(/: rank 4\.$/);
});

it('an optimiser that has not stepped says so', () => {
  expect(fact(open('values/fresh.pt'), 'Optimiser')).toEqual([
    'SGD, learning rate 0.1, 1 parameter group, no state yet',
  ]);
});

describe('agents of Stable-Baselines3', () => {
  it.each([
    ['ppo', 'PPO', 'stable_baselines3'],
    ['dqn', 'DQN', 'stable_baselines3'],
    ['sac', 'SAC', 'stable_baselines3'],
    ['recurrent', 'RecurrentPPO', 'sb3_contrib'],
  ])('%s is %s', (name, algorithm, module) => {
    const model = open(`agents/${name}.zip`);
    expect(fact(model, 'Algorithm')).toEqual([algorithm]);
    expect(model.summary.title).toMatch(new RegExp(`^Stable-Baselines3 ${algorithm} \\(`));
    expect(snippet(model, 'Load')).toContain(`from ${module} import ${algorithm}`);
  });
});

describe('several processes', () => {
  const model = open('two-ranks/.metadata');
  it.each(['rows', 'columns', 'half'])('puts %s together from the parts of both', (name) => {
    const row = [...model.parameters].find((p) => p.name === `model.${name}`);
    expect(row?.shape).toEqual([6, 8]);
    expect(row?.tensor && [...readNumbers(row.tensor, 0, 48)]).toEqual(Array.from({ length: 48 }, (_, i) => i));
  });

  it('reads any part of a tensor that was divided by columns', () => {
    const ref = [...model.parameters].find((p) => p.name === 'model.columns')?.tensor;
    for (let from = 0; from < 48; from += 5)
      for (let count = 1; from + count <= 48; count += 7)
        expect(ref && [...readNumbers(ref, from, count)]).toEqual(Array.from({ length: count }, (_, i) => from + i));
  });
});

describe('packages of AOTInductor', () => {
  const model = open('compiled.pt2');
  it('says what was compiled, for what, and with which constants', () => {
    expect(model.format).toBe('torch-export');
    expect(model.summary.title).toMatch(/^Compiled model \(AOTInductor, \d+ constants?\)$/);
    expect(fact(model, 'Device')).toEqual(['cpu']);
    const rows = [...model.parameters].map((p) => [p.name, p.shape, p.dtype]);
    expect(rows).toContainEqual(['0.weight', [8, 40], 'float32']);
    expect(model.signatures[0]?.inputs).toHaveLength(1);
    expect(model.sources?.some((s) => s.path.endsWith('.wrapper.cpp'))).toBe(true);
    expect(model.noPrediction).toContain('machine code');
  });
});

describe('verdicts on what weights_only accepts, and on settings', () => {
  it.each([
    'lightning.ckpt',
    'trainer/optimizer.pt',
    'trainer/scheduler.pt',
    'trainer/rng_state.pth',
    'trainer/training_args.bin',
    'peft/lora/adapter_model.bin',
    'deepspeed/mp_rank_00_model_states.pt',
    'two-ranks/.metadata',
    'fastai.pth',
    'ultralytics.pt',
  ])('%s is safe', async (name) => {
    const session = await ModelSession.open(path.join(FOLDER, name));
    try {
      const report = await session.security();
      expect(report.findings.map((f) => f.message)).toEqual([]);
      expect(report.verdict).toBe('safe');
    } finally {
      session.close();
    }
  });

  it('machine code is not safe', async () => {
    const session = await ModelSession.open(path.join(FOLDER, 'compiled.pt2'));
    try {
      expect((await session.security()).verdict).toBe('dangerous');
    } finally {
      session.close();
    }
  });
});

it('no fixture holds a path of the machine that made it', () => {
  const pending = [FOLDER];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) pending.push(full);
      else expect(fs.readFileSync(full).toString('latin1'), full).not.toMatch(/\/(root|home|tmp)\//);
    }
  }
});
