import { counted } from '../../model/counted';
import { Instance, PyTuple, type Value } from '../../pickle/values';
import { type FoundStateDict, WEIGHT_KEYS } from './checkpoint';
import type { Family } from './infer/families';
import type { TensorReader } from './pickled-tensor';
import { plainTitle } from './plain-values';
import { asModule, classGlobal, type PickledModule, shortName, typeText } from './python-class';
import { frameworkOf } from './training/frameworks';
import { optimizerFacts } from './training/optimizers';
import { trainingPart } from './training/parts';
import { entriesOf, mappingOf } from './walk';

/** Tensor-like values by what the reader calls their class. */
const TENSOR_LIKE: Partial<Record<string, string>> = { ndarray: 'NumPy array', Storage: 'Storage' };

/** What a file is called, and the kind of its root. */
export interface Title {
  text: string;
  kind: string;
  subtitle?: string;
  producer?: { name: string; version?: string };
}

/** Names what `torch.save` wrote, by what it holds. */
export function titleOf(
  value: Value,
  reader: TensorReader,
  dicts: FoundStateDict[],
  rows: number,
  family: Family | undefined,
): Title {
  const tensor = reader.read(value);
  if (tensor)
    return {
      text: `${TENSOR_LIKE[tensor.subclass ?? ''] ?? 'Tensor'} ${tensor.dtype} (${tensor.shape.join(', ')})`,
      kind: 'Tensor',
    };
  const module = asModule(value);
  if (module) {
    const name = shortName(module.cls);
    return { text: moduleTitle(module), kind: name, subtitle: `nn.Module of class ${module.cls.path}` };
  }
  const top = dicts[0];
  if (top?.path === '') {
    const text = family
      ? `${family.name} state_dict (${counted(top.tensors, 'tensor')})`
      : `state_dict (${counted(top.tensors, 'tensor')})`;
    return { text, kind: family?.name ?? 'state_dict', ...(family ? { subtitle: family.evidence } : {}) };
  }
  const mapping = mappingOf(value);
  if (mapping) {
    const framework = frameworkOf(mapping);
    const producer = framework ? { producer: framework.producer } : {};
    const name = framework?.name ?? 'checkpoint';
    const head = family ? `${family.name} ${name}` : framework ? name : capital(name);
    if (top) {
      const text = `${head} (${top.path}: ${counted(top.tensors, 'tensor')})`;
      return { text, kind: name, subtitle: keysText(mapping), ...producer };
    }
    const modules = [...mapping].filter(([, item]) => asModule(item)).map(([key]) => key);
    if (modules.length > 1 && !framework && modules.every((key) => !/ema/i.test(key))) {
      const text = `Checkpoint of ${modules.length} modules (${modules.slice(0, 6).join(', ')})`;
      return { text, kind: name, subtitle: keysText(mapping) };
    }
    for (const [key, item] of mapping) {
      const held = WEIGHT_KEYS.test(key) || mapping.size === 1 ? asModule(item) : undefined;
      if (!held) continue;
      const text = framework ? `${head} (${key}: ${moduleTitle(held)})` : `Checkpoint of ${moduleTitle(held)}`;
      return { text, kind: name, subtitle: keysText(mapping), ...producer };
    }
    const part = trainingPart(mapping, reader);
    if (part) return { text: part.title, kind: part.kind, subtitle: keysText(mapping) };
    if (framework)
      return { text: `${head} (${counted(rows, 'tensor')})`, kind: name, subtitle: keysText(mapping), ...producer };
    const optimizers = [...mapping].flatMap(([key, item]) => (optimizerFacts(item).length > 0 ? [key] : []));
    if (optimizers.length > 0 && optimizers.length === mapping.size)
      return {
        text: `Checkpoint of optimisers (${optimizers.slice(0, 6).join(', ')})`,
        kind: name,
        subtitle: keysText(mapping),
      };
    if (isEmptyStateDict(value, mapping)) return { text: 'state_dict (no tensors)', kind: 'state_dict' };
    return {
      text:
        rows > 0
          ? `dict with ${counted(rows, 'tensor')}`
          : `dict with ${mapping.size} entr${mapping.size === 1 ? 'y' : 'ies'}`,
      kind: 'dict',
      subtitle: keysText(mapping),
    };
  }
  const plain = plainTitle(value, reader);
  if (plain) return plain;
  const cls = classGlobal(value);
  if (cls) return { text: shortName(cls), kind: shortName(cls), subtitle: `object of class ${cls.path}` };
  if (Array.isArray(value) || value instanceof PyTuple) {
    const items = Array.isArray(value) ? value : value.items;
    const allTensors = items.length > 0 && items.every((item) => reader.read(item));
    const type = Array.isArray(value) ? 'list' : 'tuple';
    const what = allTensors ? counted(items.length, 'tensor') : counted(items.length, 'item');
    return { text: `${capital(type)} of ${what}`, kind: type };
  }
  const type = typeText(value);
  return { text: value instanceof Instance ? type : `A single ${type}`, kind: type };
}

/** Class of a module; a wrapper that only distributes the work says what it wraps. */
function moduleTitle(module: PickledModule): string {
  const name = shortName(module.cls);
  const inner = /^(Distributed)?DataParallel$/.test(name) ? classGlobal(module.modules.get('module')) : undefined;
  return inner ? `${name}(${shortName(inner)})` : name;
}

function keysText(mapping: Map<string, Value>): string {
  const keys = [...mapping.keys()];
  const shown = keys.slice(0, 12).join(', ');
  return `${keys.length > 12 ? `${shown}, …` : shown}`.slice(0, 300);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a module without weights gives: an ordered dict with nothing but the versions of its modules. */
function isEmptyStateDict(value: Value, mapping: Map<string, Value>): boolean {
  const own = [...mapping.keys()].filter((key) => key !== '_metadata');
  return own.length === 0 && (mapping.has('_metadata') || entriesOf(value).some((e) => e.name === '_metadata'));
}
