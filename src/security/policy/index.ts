/**
 * The security policy: which imported names belong into a model file, which are dangerous, and why. Data, not code: tools/policy writes it,
 * reviewed by hand and derived from the sources of Python and the common packages. Default-deny: what no list knows is unknown, and calling an
 * unknown part of Python or of an analysed package is dangerous.
 */
import { classifyBuiltIn } from './classify';
import type { Classification } from './types';
import { UserPolicy } from './user-policy';

export { DOES } from './sentences';
export { isHonestSource, KEEPS_FORMULA, SOURCE_ATTRIBUTES } from './state';
export type { Classification, DangerCategory, Judge, PolicyClass, PolicyUse } from './types';
export { classOfUse } from './types';

/** Names whose classification is remembered; a stream can name any number of them. */
const MAX_REMEMBERED = 20_000;

let userPolicies: UserPolicy[] = [];
/** Module → name → what is known about it. */
const remembered = new Map<string, Map<string, Classification>>();
let count = 0;
let revision = 0;

/** What the policy knows about `name` of `module`. Never throws; any text is a valid question. The result is shared: do not change it. */
export function classify(module: string, name: string): Classification {
  const known = remembered.get(module)?.get(name);
  if (known) return known;
  let result = classifyBuiltIn(module, name);
  for (const policy of userPolicies) result = policy.apply(`${module}.${name}`, result);
  if (count >= MAX_REMEMBERED) forget();
  count++;
  const names = remembered.get(module);
  if (names) names.set(name, result);
  else remembered.set(module, new Map([[name, result]]));
  return result;
}

/** Changes whenever a name may be classified in another way than before. */
export function policyRevision(): number {
  return revision;
}

function forget(): void {
  remembered.clear();
  count = 0;
}

/** Adds a user's policy (parsed JSON, see `UserPolicy`). Throws a `ModelError` when it is not valid, and then changes nothing. */
export function extendPolicy(json: unknown): void {
  userPolicies = [...userPolicies, new UserPolicy(json)];
  revision++;
  forget();
}

/** Forgets all user policies. */
export function resetPolicy(): void {
  userPolicies = [];
  revision++;
  forget();
}
