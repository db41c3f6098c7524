import table from './estimators.tsv';

/** What is known of a class of scikit-learn or a library that follows its conventions, over all versions that were looked at. */
export interface EstimatorClass {
  library: string;
  name: string;
  /** `classifier`, `regressor`, `clusterer`, `transformer`, `outlier`, `density`, `bicluster`, `meta`. */
  kinds: ReadonlySet<string>;
  methods: readonly { name: string; first?: string; last?: string }[];
  /** Constructor parameters in signature order. */
  parameters: ReadonlyMap<string, readonly { version: string; text: string }[]>;
}

const known = new Map<string, EstimatorClass | undefined>();

/** Reads the rows of one class. Format: see tools/sklearn/make-estimators.py. */
function read(library: string, name: string): EstimatorClass | undefined {
  const start = table.indexOf(`\nC\t${library}\t${name}\t`);
  if (start < 0) return undefined;
  const next = table.indexOf('\nC\t', start + 1);
  const [head, ...rows] = table.slice(start + 1, next < 0 ? undefined : next).split('\n');
  const [, , , kinds, methods] = head.split('\t');
  const parameters = new Map<string, { version: string; text: string }[]>();
  for (const row of rows) {
    const cells = row.split('\t');
    if (cells[0] !== 'P') continue;
    const changes = cells.slice(2).map((entry) => {
      const at = entry.lastIndexOf('@');
      return { text: entry.slice(0, at), version: entry.slice(at + 1) };
    });
    parameters.set(cells[1], changes);
  }
  return {
    library,
    name,
    kinds: new Set(kinds.split(' ').filter(Boolean)),
    methods: (methods ?? '').split(' ').filter(Boolean).map(parseMethod),
    parameters,
  };
}

function parseMethod(text: string): { name: string; first?: string; last?: string } {
  const [name, range] = text.split('@');
  const [first, last] = range?.split('-') ?? [];
  return { name, ...(first ? { first } : {}), ...(last ? { last } : {}) };
}

/** The class, looked up by its library (first part of its module) and name. */
export function estimatorClass(module: string, name: string): EstimatorClass | undefined {
  const library = module.split('.')[0];
  if (!/^\w+$/.test(name)) return undefined;
  const key = `${library}.${name}`;
  if (!known.has(key)) known.set(key, read(library, name));
  return known.get(key);
}

/** Every class of a library, in alphabetical order. */
export function* estimatorClasses(library: string): Generator<EstimatorClass> {
  for (const [, name] of table.matchAll(new RegExp(`^C\\t${library}\\t(\\w+)\\t`, 'gm'))) {
    const found = estimatorClass(library, name);
    if (found) yield found;
  }
}

/**
 * The defaults that a parameter may have had in `version`: one text when the versions around agree, several when the change happened
 * between two versions that were looked at, or when the version is not known. Empty for something that is no parameter.
 */
export function defaultsOf(made: EstimatorClass, parameter: string, version: string | undefined): string[] {
  const entries = made.parameters.get(parameter);
  if (!entries) return [];
  const texts = entries.filter((entry) => entry.text !== '-' && entry.text !== '!');
  if (version === undefined) return texts.map((entry) => entry.text);
  let at = -1;
  while (at + 1 < entries.length && compareVersions(entries[at + 1].version, version) <= 0) at++;
  // A change that was first seen in a later version may already have happened in this one.
  return [entries[at], compareVersions(entries[at]?.version ?? '', version) === 0 ? undefined : entries[at + 1]]
    .filter((entry) => entry && entry.text !== '-' && entry.text !== '!')
    .map((entry) => (entry as { text: string }).text);
}

/** Compares major and minor numbers. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
}
