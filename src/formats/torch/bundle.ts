import { openZip } from '../../archives/zip/archive';
import type { ByteSource } from '../../bytes/byte-source';
import { readUpTo } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { counted } from '../../model/counted';
import type { Attribute, Fact, Model } from '../../model/model';
import type { ModelInput } from '../format';
import { findPrefix, TorchArchive, type ZipView } from './archive';
import { combined, type Part } from './combined';
import type { TorchContainer } from './container';
import { openLegacy } from './legacy';
import { modelOf } from './model';
import { isLegacy } from './recognise';
import { quoted, type Snippet } from './snippets';
import { openZipContainer } from './zip';

/** What JSON writes otherwise than Python. */
const PYTHON: Record<string, string> = { null: 'None', true: 'True', false: 'False' };

/** More settings than any algorithm has. */
const MAX_SETTINGS = 200;

/** Members of these endings are looked into. */
const TORCH_MEMBER = /\.(pth|pt|bin|ckpt)$/i;

/** What a zip with torch files inside is: stable-baselines3, TorchServe, or just an archive. `undefined` if it holds none. */
export function bundleKind(zip: ZipView): 'stable-baselines3' | 'torchserve' | 'archive' | undefined {
  if (zip.get('MAR-INF/MANIFEST.json') && zip.members.some((m) => TORCH_MEMBER.test(m.name))) return 'torchserve';
  const torch = zip.members.filter((m) => TORCH_MEMBER.test(m.name) && !m.isDirectory);
  if (torch.length === 0) return undefined;
  if (zip.get('data') && zip.members.some((m) => /(^|\/)(policy|pytorch_variables|variables)\.pth$/.test(m.name)))
    return 'stable-baselines3';
  return 'archive';
}

/** Opens the torch files inside a zip as one model: one branch of the hierarchy for each of them. */
export function openBundle(input: ModelInput, zip: ZipView): Model {
  const kind = bundleKind(zip);
  const parts: (Part & { member: string })[] = [];
  const failures: ModelError[] = [];
  for (const member of zip.members) {
    if (!TORCH_MEMBER.test(member.name) || member.isDirectory) continue;
    try {
      const container = openMember(input, member.open().source, member.name);
      if (container) parts.push({ name: member.name.replace(TORCH_MEMBER, ''), member: member.name, container });
    } catch (error) {
      failures.push(asModelError(error, member.name));
    }
  }
  if (parts.length === 0) {
    throw (
      failures[0] ??
      new ModelError('unsupported', `${input.name} is a zip archive, but none of its members is a PyTorch file.`, {
        reason: 'archive',
      })
    );
  }
  const names = parts.map((p) => p.name).join(', ');
  const facts: Fact[] = [{ label: 'Container', value: `zip with ${names}` }, ...aboutBundle(zip)];
  const settings = settingsOf(zip);
  const container = combined(
    parts,
    facts,
    failures.map((f) => ({ rule: 'zip-member', severity: 'info' as const, message: f.message })),
  );
  if (zip.damage) container.error ??= zip.damage;
  const model = modelOf(container, input.name);
  const tensors = counted(model.parameters.length, 'tensor');
  if (kind === 'stable-baselines3') {
    const algorithm = algorithmOf(
      settings.map((setting) => setting.name),
      policyModule(textOf(zip, 'data')),
    );
    model.root.attributes = [...settings, ...model.root.attributes];
    model.summary.title = `Stable-Baselines3 ${algorithm?.name ?? 'model'} (${tensors})`;
    if (algorithm)
      model.summary.facts.unshift({
        label: 'Algorithm',
        value: algorithm.name,
        note: `Inferred from its ${algorithm.by[0].startsWith('policy ') ? '' : 'settings '}${algorithm.by.join(', ')}.`,
      });
    model.summary.producer = { name: 'Stable-Baselines3', ...versionOf(zip) };
    model.summary.snippets = [
      {
        label: 'Load',
        language: 'python',
        code: `# The members "data" may hold pickled objects: load only files that you trust.\nfrom ${algorithm?.contrib ? 'sb3_contrib' : 'stable_baselines3'} import ${algorithm?.name ?? 'PPO'}${algorithm ? '' : '  # or the algorithm that it was trained with'}\n\nmodel = ${algorithm?.name ?? 'PPO'}.load(${quoted(input.name)}, device="cpu")\n`,
      },
    ];
    return model;
  }
  model.summary.snippets = [
    unpackSnippet(
      input.name,
      parts.map((part) => part.member),
    ),
    ...(model.summary.snippets ?? []).filter((snippet) => snippet.label !== 'Load safely'),
  ];
  if (kind === 'torchserve') {
    const name = facts.find((f) => f.label === 'Model name')?.value;
    model.summary.title = `TorchServe archive${name ? ` ${name}` : ''} (${tensors})`;
    model.summary.producer = { name: 'TorchServe' };
  } else model.summary.title = `Archive of ${counted(parts.length, 'PyTorch file')} (${tensors})`;
  return model;
}

/** `torch.load` takes no zip of files: each is read out of it. */
function unpackSnippet(file: string, members: readonly string[]): Snippet {
  const load = (member: string): string =>
    `torch.load(io.BytesIO(archive.read(${quoted(member)})), map_location="cpu", weights_only=True)`;
  const lines =
    members.length === 1
      ? [`    state_dict = ${load(members[0])}`]
      : [
          '    parts = {',
          ...members.slice(0, 12).map((member) => `        ${quoted(member)}: ${load(member)},`),
          '    }',
        ];
  if (members.length > 12) lines.splice(-1, 0, `        # and ${members.length - 12} more`);
  const code = [
    'import io',
    'import zipfile',
    '',
    'import torch',
    '',
    `with zipfile.ZipFile(${quoted(file)}) as archive:`,
    ...lines,
  ];
  return { label: 'Load safely', language: 'python', code: `${code.join('\n')}\n` };
}

function openMember(input: ModelInput, source: ByteSource, name: string): TorchContainer | undefined {
  const head = readUpTo(source, 0, 64);
  if (isLegacy(head)) return openLegacy({ source, readPickle: input.readPickle.bind(input) }, 0, name, `${name}:`);
  if (head[0] !== 0x50 || head[1] !== 0x4b) return undefined;
  const zip = openZip(source);
  const prefix = findPrefix(zip, 'data.pkl');
  if (prefix === undefined) return undefined;
  const container = openZipContainer(input, new TorchArchive(zip, prefix), 'data.pkl', 'data/', `${name}:`);
  for (const section of container.pickles) section.member = `${name}!${section.member}`;
  return container;
}

function textOf(zip: ZipView, name: string): string | undefined {
  const member = zip.get(name);
  if (!member || member.size > 1 << 24) return undefined;
  const { source } = member.open();
  return Buffer.from(source.read(0, source.size)).toString('utf8');
}

function versionOf(zip: ZipView): { version?: string } {
  const text = textOf(zip, '_stable_baselines3_version')?.trim();
  return text ? { version: text } : {};
}

/** Facts from the text members: versions, the system it was trained on, the manifest of TorchServe. */
function aboutBundle(zip: ZipView): Fact[] {
  const facts: Fact[] = [];
  for (const line of (textOf(zip, 'system_info.txt') ?? '').split('\n').slice(0, 20)) {
    const match = /^-?\s*([\w -]+):\s*(.+)$/.exec(line);
    if (match) facts.push({ label: match[1].trim(), value: match[2].trim() });
  }
  const manifest = jsonEntries(textOf(zip, 'MAR-INF/MANIFEST.json'));
  const names: Record<string, string> = {
    'model.modelName': 'Model name',
    'model.serializedFile': 'Weights',
    'model.handler': 'Handler',
    'model.modelFile': 'Model source',
    runtime: 'Runtime',
    archiverVersion: 'Archiver version',
  };
  for (const [label, value] of manifest) facts.push({ label: names[label] ?? label, value });
  return facts;
}

/** The settings of a Stable-Baselines3 algorithm, as its member `data` has them: what was chosen first, then its spaces and state. */
function settingsOf(zip: ZipView): Attribute[] {
  const settings = jsonEntries(textOf(zip, 'data')).filter(([name]) => !/(^|\.)_abc_/.test(name));
  const isInner = (name: string): boolean => name.startsWith('_') || name.includes('.');
  return settings
    .slice(0, MAX_SETTINGS)
    .map(([name, text]) => ({ name, text: PYTHON[text] ?? text, role: isInner(name) ? 'attribute' : 'parameter' }));
}

/** Module of the policy class that the settings of Stable-Baselines3 name. */
function policyModule(text: string | undefined): string | undefined {
  try {
    const json = parseJson(text ?? '') as { policy_class?: { __module__?: unknown } } | null;
    const name = json?.policy_class?.__module__;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Plain entries of a JSON object, one level of objects unfolded; serialised objects and long texts left out. */
function jsonEntries(text: string | undefined): [string, string][] {
  if (text === undefined) return [];
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return [];
  }
  if (typeof json !== 'object' || json === null) return [];
  const out: [string, string][] = [];
  for (const [key, value] of Object.entries(json)) {
    if (typeof value === 'object' && value !== null) {
      for (const [inner, item] of Object.entries(value)) {
        if (
          !inner.startsWith(':') &&
          !/^<(function|_abc|_weakrefset|staticmethod|property)|^<\w+\._abc_data/.test(String(item)) &&
          !inner.startsWith('__') &&
          typeof item !== 'object' &&
          String(item).length < 200
        )
          out.push([`${key}.${inner}`, String(item)]);
      }
    } else if (String(value).length < 200) out.push([key, String(value)]);
  }
  return out;
}

/** An algorithm of Stable-Baselines3 (or its contrib package) and what it was recognised by. */
interface Algorithm {
  name: string;
  by: string[];
  contrib?: true;
}

/** Modules of policies that only one algorithm uses. Source: stable_baselines3 and sb3_contrib, the class that `policy_class` names. */
const POLICIES: Record<string, Omit<Algorithm, 'by'>> = {
  'stable_baselines3.dqn.policies': { name: 'DQN' },
  'stable_baselines3.sac.policies': { name: 'SAC' },
  'sb3_contrib.qrdqn.policies': { name: 'QRDQN', contrib: true },
  'sb3_contrib.tqc.policies': { name: 'TQC', contrib: true },
  'sb3_contrib.ars.policies': { name: 'ARS', contrib: true },
  'sb3_contrib.crossq.policies': { name: 'CrossQ', contrib: true },
  'sb3_contrib.common.recurrent.policies': { name: 'RecurrentPPO', contrib: true },
  'sb3_contrib.common.maskable.policies': { name: 'MaskablePPO', contrib: true },
};

/** Settings that only one algorithm saves. Source: their constructors. */
const ALGORITHMS: Algorithm[] = [
  { name: 'TRPO', by: ['cg_max_steps', 'line_search_shrinking_factor'], contrib: true },
  { name: 'ARS', by: ['n_delta', 'delta_std'], contrib: true },
  { name: 'ARS', by: ['n_delta', 'pop_size'], contrib: true },
  { name: 'TQC', by: ['top_quantiles_to_drop_per_net'], contrib: true },
  { name: 'PPO', by: ['n_epochs', 'vf_coef', 'gae_lambda'] },
  { name: 'A2C', by: ['n_steps', 'gae_lambda', 'vf_coef', 'ent_coef'] },
  { name: 'TD3', by: ['policy_delay', 'target_policy_noise'] },
  { name: 'SAC', by: ['target_entropy', 'target_update_interval'] },
];

/** The algorithm whose settings are all there; those of A2C are a part of PPO's, which comes first. */
function algorithmOf(settings: readonly string[], policy: string | undefined): Algorithm | undefined {
  if (policy !== undefined && Object.hasOwn(POLICIES, policy)) return { ...POLICIES[policy], by: [`policy ${policy}`] };
  const known = new Set(settings);
  return ALGORITHMS.find(({ by }) => by.every((setting) => known.has(setting)));
}
