import { IMPORT_MAPPING } from '../../pickle/python2-names';
import { embeddedModule, importHasSideEffects, isSpecialAttribute, telling } from './names';
import { DOES, REASONS } from './sentences';
import { builtInTable, fromRule, type PolicyTable, type Rule } from './table';
import type { Classification, DangerCategory } from './types';

/** Steps of re-exports and embedded modules that are followed for one name; honest chains have one or two. */
const MAX_STEPS = 8;
/** Components of a dotted name that are looked at; beyond that the name is refused as dangerous. */
const MAX_COMPONENTS = 64;

/**
 * What the built-in policy says about `name` of `module`, as a loader resolves it: dotted names are attribute chains, re-exports are
 * followed to where a name is defined, modules that hang below others (`random._os`) are recognised, and Python 2 names are judged as written
 * and as mapped. The worst reading counts.
 */
export function classifyBuiltIn(module: string, name: string): Classification {
  const table = builtInTable();
  const path = `${module}.${name}`;
  const components = path.split('.');
  if (components.length > MAX_COMPONENTS) return danger('attribute-escape', path);
  const exact = table.rule(path);

  if (importHasSideEffects(module) && exact?.class !== 'known') {
    const found = resolve(table, path);
    return found.class === 'dangerous'
      ? found
      : { ...danger('import', path), sentence: sentence(path, 'runs code as soon as its module is imported') };
  }
  const mapped = IMPORT_MAPPING.get(module);
  const vettedAsMapped = mapped !== undefined && table.rule(`${mapped}.${name}`)?.class === 'known';
  if (exact?.class !== 'known' && !vettedAsMapped) {
    const escaped = escapeOf(table, module, name);
    if (escaped) return escaped;
  }
  // The module of Python 2 is dangerous as a whole, and this name in it is the vetted one: `Queue.Full`, `ConfigParser.ConfigParser`.
  if (!exact && vettedAsMapped) return { ...resolve(table, `${mapped}.${name}`), resolved: `${mapped}.${name}` };
  const result = resolve(table, path);
  if (mapped && result.class !== 'dangerous') {
    const other = resolve(table, `${mapped}.${name}`);
    if (other.class === 'dangerous' || !exact) return { ...other, resolved: other.resolved ?? `${mapped}.${name}` };
  }
  return result;
}

/** Special attributes and embedded modules inside a name. */
function escapeOf(table: PolicyTable, module: string, name: string): Classification | undefined {
  const parts = name.split('.');
  for (let i = 0; i < parts.length; i++) {
    const before = [module, ...parts.slice(0, i)].join('.');
    if (table.rule(`${before}.${parts[i]}`)?.class === 'known') continue;
    const inner = embeddedModule(parts[i], i === parts.length - 1);
    // A package's own submodule of that name (`scipy.special.np` is none) would have rules of its own.
    if (inner && !table.rule(`${before}.${parts[i]}.*`) && !(i === 0 && parts.length > 1 && module === inner)) {
      const rest = parts.slice(i + 1).join('.');
      const path = rest ? `${inner}.${rest}` : inner;
      const found = rest ? resolve(table, path) : danger('attribute-escape', path);
      if (found.class === 'dangerous') {
        const whole = `${module}.${name}`;
        return { ...found, resolved: path, sentence: sentence(whole, `is ${path}, which ${tail(found, path)}`) };
      }
    }
    if (isSpecialAttribute(parts[i])) return danger('attribute-escape', `${module}.${name}`);
  }
  return undefined;
}

function tail(found: Classification, path: string): string {
  const text = found.sentence ?? '';
  return text.startsWith(`${path} `)
    ? text.slice(path.length + 1).replace(/\.$/, '')
    : DOES[found.category ?? 'unvetted'];
}

/** Follows re-exports, then asks the table from the longest prefix to the shortest. */
function resolve(table: PolicyTable, path: string): Classification {
  let at = path;
  for (let step = 0; step <= MAX_STEPS; step++) {
    const direct = lookUp(table, at, path);
    if (direct && (direct.class === 'dangerous' || table.rule(at)))
      return at === path ? direct : { ...direct, resolved: at };
    const next = followAlias(table, at);
    if (!next || next === at) {
      const result = direct ?? byRoot(table, at);
      return at === path ? result : { ...result, resolved: at };
    }
    at = next;
  }
  return danger('attribute-escape', path);
}

/** One step along a re-export of the name or of anything it hangs below. */
function followAlias(table: PolicyTable, path: string): string | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const target = table.alias(path.slice(0, end));
    if (target) return target + path.slice(end);
  }
  return undefined;
}

function lookUp(table: PolicyTable, path: string, shown: string): Classification | undefined {
  const whole = table.rule(path);
  if (whole) return describe(whole, path, shown);
  // The module itself, from which everything in it can be fetched.
  const inside = table.rule(`${path}.*`);
  if (inside?.class === 'dangerous') return describe(inside, path, shown);
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const prefix = path.slice(0, end);
    const rule = table.rule(`${prefix}.*`);
    if (rule) return describe(rule, path, shown);
    const above = table.rule(prefix);
    if (above?.class === 'dangerous') return describe(above, path, shown);
    if (above?.class === 'known') {
      const around = wildcardAbove(table, prefix);
      if (around?.class === 'dangerous') return describe(around, path, shown);
      // A method that is only referred to, of a class that was vetted: `Ridge.predict`. Calling it is another matter.
      const method = above.uses.includes('instantiate') && !path.includes('.', end + 1);
      return {
        class: method ? 'known' : 'unknown',
        ...(method ? { uses: ['reference' as const] } : {}),
        otherwise: 'dangerous',
        category: 'unvetted',
        reason: `an attribute of ${prefix}`,
        sentence: sentence(shown, `is an attribute of ${prefix} that nobody has vetted`),
      };
    }
  }
  return undefined;
}

function wildcardAbove(table: PolicyTable, path: string): Rule | undefined {
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const rule = table.rule(`${path.slice(0, end)}.*`);
    if (rule) return rule;
  }
  return undefined;
}

function byRoot(table: PolicyTable, path: string): Classification {
  const root = path.slice(0, path.indexOf('.'));
  if (root === '__main__') {
    return { class: 'unknown', reason: 'defined in whatever program loads the file' };
  }
  if (table.isStandardLibrary(root)) {
    return {
      class: 'unknown',
      otherwise: 'dangerous',
      category: 'unvetted',
      reason: 'part of Python, not vetted',
      sentence: sentence(path, 'is part of Python, and nobody has vetted it for use in model files'),
    };
  }
  // `Os`, `ｏｓ`, `posix\r`: CPython finds no module of such a name, so what it is called tells nothing.
  const plain = root.normalize('NFKC').trim().toLowerCase();
  if (plain !== root && table.isStandardLibrary(plain))
    return { class: 'unknown', reason: `no policy knows it; its name only looks like ${plain}` };
  const category = telling(path.slice(path.lastIndexOf('.') + 1));
  if (category) {
    return {
      class: 'unknown',
      otherwise: 'dangerous',
      category,
      reason: 'no policy knows it, and its name tells',
      sentence: sentence(path, `is known to no policy, and is called like what ${DOES[category]}`),
    };
  }
  return { class: 'unknown', reason: 'no policy knows it' };
}

function describe(rule: Rule, path: string, shown: string): Classification {
  const result = fromRule(rule);
  if (rule.class === 'known') {
    result.reason = rule.text || 'vetted';
    return result;
  }
  const category = rule.category || 'unvetted';
  if (rule.class === 'unknown') {
    const root = path.slice(0, path.indexOf('.'));
    result.reason = `part of ${root}, not vetted`;
    result.sentence = sentence(shown, `is part of ${root}, and nobody has vetted it for use in model files`);
    return result;
  }
  result.reason = REASONS[category];
  const does = rule.text.startsWith('by way of ')
    ? `${DOES[category]}, ${rule.text}`
    : /^(an?|the) /.test(rule.text)
      ? `${category === 'attribute-escape' && !rule.judge.startsWith('type') ? 'fetches' : 'makes'} ${rule.text}`
      : rule.text || DOES[category];
  result.sentence = sentence(shown, does);
  return result;
}

function danger(category: DangerCategory, path: string): Classification {
  return { class: 'dangerous', category, reason: REASONS[category], sentence: sentence(path, DOES[category]) };
}

function sentence(path: string, does: string): string {
  return `${path} ${does}.`;
}
