import { estimatorClass } from '../../formats/sklearn/catalogue';
import { libraryOf } from '../../formats/sklearn/estimator';
import { IMPORT_MAPPING, NAME_MAPPING } from '../../pickle/python2-names';
import { Global } from '../../pickle/values';
import { callsWhatItHolds } from '../evidence/holds';
import { COLLECTORS, secondIsShape } from '../evidence/plain';
import { classifyGlobal } from '../imports';
import { HOOK_NAMES } from '../judge';
import { factsOf } from '../name-facts';
import { classOfUse, SOURCE_ATTRIBUTES } from '../policy';
import { builtInTable } from '../policy/table';
import { ENTRY, FLAGS, HASH_START, HEADER, hashStep, MAGIC, slotOf } from './names';

/** Packages whose names stand in torch files or evaluate text: their pickles never take the walk. */
const ELSEWHERE =
  /^(torch\w*|timm|transformers|ultralytics|peft|sympy|mpmath|sentence_transformers|stable_baselines3|yolov5|models|tokenizers|nltk|pytorch_lightning|keras|tensorflow)$/;

/** Packages whose functions models refer to; of others, names that are neither called nor instantiated are left to the judge. */
const REFERRED = /^(sklearn|numpy|builtins|pandas|math|operator|_operator|collections|functools|xgboost|lightgbm)\./;

/** Names without a line of their own in the policy that ordinary pickles call. */
const MORE = ['functools.partial'];

/** Wrappers of arrays beside the file. */
const SIDE_FILES = /^Z?NDArrayWrapper$/;

interface Entry {
  key: string;
  moduleLength: number;
  flags: number;
  shown: string;
  reason: string;
}

/** The bytes that `NameTable` reads. Asks the judge about every vetted name of the built-in policy; takes a second. */
export function encodeNameTable(): Buffer {
  const entries: Entry[] = [];
  for (const path of [...builtInTable().paths(), ...MORE]) {
    const dot = path.lastIndexOf('.');
    const [module, name] = [path.slice(0, dot), path.slice(dot + 1)];
    if (dot < 1 || name === '*' || ELSEWHERE.test(path.slice(0, path.indexOf('.')))) continue;
    const flags = flagsOf(new Global(module, name, module, name, 0, true));
    if (flags === undefined || ((flags & ~FLAGS.estimator) === 0 && !REFERRED.test(path))) continue;
    const plain = !NAME_MAPPING.has(`${module} ${name}`) && !IMPORT_MAPPING.has(module);
    add(entries, module, name, flags | FLAGS.new | (plain ? FLAGS.old : 0), module, name);
    for (const [oldModule, oldName] of oldNames(module, name)) {
      const old = flagsOf(new Global(module, name, oldModule, oldName, 0, false));
      if (old !== undefined) add(entries, oldModule, oldName, old | FLAGS.old, module, name);
    }
  }
  return encode(entries);
}

function add(entries: Entry[], rawModule: string, rawName: string, flags: number, module: string, name: string): void {
  const { reason } = classifyGlobal(new Global(module, name, rawModule, rawName, 0, true));
  entries.push({
    key: `${rawModule}\n${rawName}`,
    moduleLength: rawModule.length,
    flags,
    shown: `${module}\n${name}`,
    reason: reason ?? '',
  });
}

/** Names of Python 2 that a loader takes for this one. */
function oldNames(module: string, name: string): [string, string][] {
  const found: [string, string][] = [];
  for (const [old, [newModule, newName]] of NAME_MAPPING) {
    if (newModule === module && newName === name) found.push(old.split(' ') as [string, string]);
  }
  for (const [old, renamed] of IMPORT_MAPPING) {
    if (renamed === module && !NAME_MAPPING.has(`${old} ${name}`)) found.push([old, name]);
  }
  return found;
}

/** What the judge says about a name; `undefined` if it has to be asked each time. */
function flagsOf(global: Global): number | undefined {
  const { module, name } = global;
  const verdict = classifyGlobal(global);
  const facts = factsOf(global);
  const { judge } = facts.classification;
  if (/[^\x21-\x7e]/.test(`${global.rawModule}${global.rawName}${module}${name}`) || SIDE_FILES.test(name))
    return undefined;
  let flags = module === 'copyreg' && /^(_reconstructor$|__newobj)/.test(name) ? FLAGS.copyreg : 0;
  if (module.startsWith('numpy') && name === 'dtype') flags |= FLAGS.dtype;
  if (/(^|\.)joblib\.numpy_pickle(_compat)?$/.test(module) && name === 'NumpyArrayWrapper') flags |= FLAGS.wrapper;
  const library = libraryOf(global);
  if (library && (estimatorClass(library, name) || isBooster(library, name))) flags |= FLAGS.estimator;
  if (module === 'functools' && name === 'partial' && /^_?functools\.partial$/.test(facts.path) && judge === 'holds')
    return flags | FLAGS.partial;
  if (judge === 'import' && module.startsWith('numpy.') && name === '_ufunc_reconstruct' && facts.path.endsWith(name))
    return flags | FLAGS.ufunc;
  if (verdict.class !== 'known' || classOfUse(verdict, 'reference') !== 'known' || !verdict.reason) return undefined;
  if (facts.setsClassState || facts.fetches || facts.shared || facts.definesClass) return undefined;
  if (judge === 'codec') return facts.path === '_codecs.encode' && !facts.allocates ? flags | FLAGS.codec : undefined;
  const known = (use: 'call' | 'instantiate'): boolean => classOfUse(verdict, use) === 'known';
  if (facts.path === 'copyreg._reconstructor')
    return known('call') && facts.makesFirst ? flags | FLAGS.reconstructor | FLAGS.first | FLAGS.call : undefined;
  if (judge !== undefined && judge !== 'holds' && judge !== 'size' && judge !== 'state') return undefined;
  if (known('instantiate')) flags |= FLAGS.make;
  if (classOfUse(facts.classification, 'call') === 'known') flags |= FLAGS.base;
  if (facts.makesFirst) flags |= FLAGS.first;
  // Where arguments matter otherwise, only references to the name are taken.
  if (!facts.noEvidence)
    return callsWhatItHolds(facts.path, facts.classification) && known('call') && !facts.allocates
      ? flags | FLAGS.holds | FLAGS.call
      : flags;
  if (facts.allocates) {
    if (secondIsShape(facts.path)) flags |= FLAGS.secondShape;
    else if (COLLECTORS.test(facts.path)) flags |= FLAGS.collect;
    else return flags;
  } else if (known('instantiate')) flags |= FLAGS.newobj;
  return known('call') ? flags | FLAGS.call : flags;
}

/** Models that are no class of the catalogue (formats/sklearn/estimator.ts, `isEstimator`). */
function isBooster(library: string, name: string): boolean {
  return library === 'xgboost' || library === 'lightgbm'
    ? name === 'Booster'
    : library === 'catboost' && name.startsWith('CatBoost');
}

function encode(all: Entry[]): Buffer {
  const numberOf = new Map(all.filter(({ flags }) => flags & FLAGS.new).map(({ key }, i) => [key, i]));
  const entries = [...all.filter(({ flags }) => flags & FLAGS.new), ...all.filter(({ flags }) => !(flags & FLAGS.new))];
  const reasons = [...new Set(entries.map(({ reason }) => reason))];
  const slots = 2 ** Math.ceil(Math.log2(entries.length * 2));
  const keys = Buffer.from(entries.map(({ key }) => key).join(''), 'latin1');
  const texts = Buffer.from(JSON.stringify({ reasons, hooks: [...HOOK_NAMES, ...SOURCE_ATTRIBUTES.keys()] }), 'utf8');
  const numbers = new Int32Array(HEADER + slots + entries.length * ENTRY);
  numbers.set([MAGIC, entries.length, slots, keys.length, texts.length]);
  let offset = 0;
  entries.forEach(({ key, moduleLength, flags, shown, reason }, i) => {
    let hash = HASH_START;
    for (const byte of Buffer.from(key, 'latin1')) hash = hashStep(hash, byte);
    let slot = slotOf(hash, slots - 1);
    while (numbers[HEADER + slot] !== 0) slot = (slot + 1) & (slots - 1);
    numbers[HEADER + slot] = i + 1;
    const lengths = moduleLength | ((key.length - moduleLength - 1) << 16);
    const at = HEADER + slots + i * ENTRY;
    numbers.set([offset, lengths, flags, numberOf.get(shown) as number, reasons.indexOf(reason)], at);
    offset += key.length;
  });
  return Buffer.concat([Buffer.from(numbers.buffer), keys, texts]);
}
