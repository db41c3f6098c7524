import { isObject, type Json } from '../../formats/keras/literal';
import { classify, classOfUse, type PolicyUse } from '../policy';
import type { SecurityFinding } from '../report';
import type { Scanner } from '../scanner';

/** Nodes of a schema that are looked at; one estimator has some hundred. */
const MAX_NODES = 5_000_000;

/** Functions of `operator` that skops keeps for what they are: they fetch an item, and nothing is called. */
const KEPT_OPERATORS = /^itemgetter$/;

/** Whether a JSON value is the schema of a `.skops` archive. */
export function isSkopsSchema(value: Json): boolean {
  return isObject(value) && typeof value.__loader__ === 'string' && ('protocol' in value || '__class__' in value);
}

/**
 * Judges the schema of a `.skops` archive: what each node makes skops import, build or call once its type is trusted (and in versions with
 * the flaws of 2025, without asking). Source: skops.io, `_general.py`, `_audit.py`.
 */
export function scanSkops(scanner: Scanner, schema: Json, member: string): void {
  const pending: Json[] = [schema];
  const seen = new Set<string>();
  const report = (finding: SecurityFinding): void => {
    const key = `${finding.rule} ${finding.module} ${finding.name}`;
    if (!seen.has(key)) scanner.finding(finding);
    seen.add(key);
  };
  let count = 0;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (++count > MAX_NODES) {
      scanner.cover(member, 0, 'skops schema', 'it has too many nodes');
      return;
    }
    if (typeof node !== 'object' || node === null) continue;
    if (isObject(node) && typeof node.__loader__ === 'string') {
      for (const finding of nodeFindings(node, node.__loader__, member)) report(finding);
    }
    for (const inner of Object.values(node)) if (typeof inner === 'object' && inner !== null) pending.push(inner);
  }
}

function* nodeFindings(node: { [key: string]: Json }, loader: string, member: string): Generator<SecurityFinding> {
  const module = textOf(node.__module__);
  const name = textOf(node.__class__);
  const content = isObject(node.content ?? null) ? (node.content as { [key: string]: Json }) : {};
  if (loader === 'MethodNode') {
    const method = textOf(content.func);
    if (method === undefined || !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(method) || /^__/.test(method)) {
      yield {
        rule: 'dangerous-attribute',
        severity: 'dangerous',
        member,
        ...(method === undefined ? {} : { name: method }),
        message: `A method is fetched by ${JSON.stringify(method ?? 'a computed name')}, which is no name of one: a path or special name leads from the object to anything in Python.`,
        advice: 'Do not load this model.',
        advisory: 'CVE-2025-54413',
      };
    }
    return;
  }
  if (loader === 'OperatorFuncNode' && name !== undefined) {
    if (KEPT_OPERATORS.test(name)) return;
    const fetches = /^(attrgetter|methodcaller)$/.test(name);
    yield {
      rule: fetches ? 'unknown-call' : 'dangerous-call',
      severity: fetches ? 'suspicious' : 'dangerous',
      member,
      module: 'operator',
      name,
      use: 'called',
      call: `operator.${name}(…)`,
      message: `skops calls operator.${name} with what the file gives it, whatever module the node names${fetches ? '' : '; honest files keep only itemgetter, attrgetter and methodcaller'}.`,
      advice: 'Load it only if you know what it is called with.',
      advisory: 'CVE-2025-54412',
    };
    return;
  }
  if (module !== undefined && name !== undefined) yield* named(module, name, useOf(loader), loader, member);
  const inner = textOf(content.module_path);
  const inside = textOf(content.function);
  if (inner !== undefined && inside !== undefined) yield* named(inner, inside, 'reference', loader, member);
}

function useOf(loader: string): PolicyUse {
  return /^(TypeNode|FunctionNode)$/.test(loader) ? 'reference' : 'instantiate';
}

function* named(
  module: string,
  name: string,
  use: PolicyUse,
  loader: string,
  member: string,
): Generator<SecurityFinding> {
  const path = `${module}.${name}`;
  // The parts of a partial are nodes of their own.
  if (loader === 'PartialNode' && path === 'functools.partial') return;
  const verdict = classify(module, name);
  const found = classOfUse(verdict, use);
  if (found === 'known') return;
  const dangerous = found === 'dangerous';
  yield {
    rule: dangerous ? 'dangerous-import' : use === 'reference' ? 'unknown-import' : 'unknown-class',
    severity: dangerous ? 'dangerous' : 'suspicious',
    member,
    module,
    name,
    use: use === 'reference' ? 'imported' : 'instantiated',
    call: path,
    message: dangerous
      ? `The schema names ${path} (${loader}): ${verdict.sentence ?? 'it is vetted for nothing of the kind.'}`
      : `The schema names ${path} (${loader}), which no policy knows; skops imports it when it is told to trust it.`,
    advice: dangerous
      ? 'Do not load this model, and do not list the name as trusted.'
      : 'Trust it only if you know its code.',
    ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
  };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
