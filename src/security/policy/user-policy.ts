import { ModelError } from '../../bytes/errors';
import type { Classification, PolicyUse } from './types';

/** One line of a policy file: names that its author vetted, or wants to see reported. */
interface UserRule {
  pattern: RegExp;
  class: 'known' | 'dangerous';
  uses: PolicyUse[];
  reason: string;
  override: boolean;
}

const ALL_USES: PolicyUse[] = ['reference', 'instantiate', 'call'];

/**
 * A policy file (docs/security-policy.md):
 * `{ "vetted": [{ "name": "my_package.models.*", "uses": ["reference", "instantiate"], "reason": "…", "override": false }],
 *    "dangerous": [{ "name": "…", "reason": "…" }] }`.
 * `name` is module and name with a dot between; `*` at its end takes everything below. Without `uses`, references and
 * instantiations are vetted, calls are not. A reason is required. What the built-in policy calls dangerous stays dangerous, unless the line names it
 * in full (no `*`) and says `"override": true`.
 */
export class UserPolicy {
  readonly #rules: UserRule[];

  /** Throws a `ModelError` (`usage`) that says which line is wrong. */
  constructor(json: unknown) {
    if (!isRecord(json)) throw wrong('it must be an object with a list "vetted"');
    for (const key of Object.keys(json)) {
      if (!['version', 'vetted', 'dangerous', '$schema'].includes(key))
        throw wrong(`"${key}" is not a part of a policy; there are "vetted" and "dangerous"`);
    }
    this.#rules = [...rulesOf(json, 'dangerous'), ...rulesOf(json, 'vetted')];
  }

  /** The classification of a path in the light of this policy; `builtIn` when the policy does not speak about it. */
  apply(path: string, builtIn: Classification): Classification {
    for (const rule of this.#rules) {
      if (!rule.pattern.test(path)) continue;
      if (rule.class === 'dangerous')
        return {
          class: 'dangerous',
          reason: rule.reason,
          sentence: `${path} is forbidden by the policy file: ${rule.reason}.`,
        };
      if (builtIn.class === 'dangerous' && !rule.override) continue;
      return {
        class: 'known',
        uses: rule.uses,
        otherwise: builtIn.otherwise ?? 'unknown',
        reason: `vetted by the policy file: ${rule.reason}`,
      };
    }
    return builtIn;
  }
}

function rulesOf(json: Record<string, unknown>, key: 'vetted' | 'dangerous'): UserRule[] {
  const list = json[key] ?? [];
  if (!Array.isArray(list)) throw wrong(`"${key}" must be a list`);
  return list.map((entry: unknown, index) => {
    const where = `${key}[${index}]`;
    if (!isRecord(entry) || typeof entry.name !== 'string' || !/^[^\s*]+(\.\*)?$/.test(entry.name))
      throw wrong(`${where} needs a "name" such as "package.module.Class" or "package.module.*"`);
    for (const part of Object.keys(entry)) {
      if (!['name', 'reason', 'uses', 'override'].includes(part))
        throw wrong(`"${part}" of ${where} is not known; there are "name", "uses", "reason" and "override"`);
    }
    if (typeof entry.reason !== 'string' || entry.reason.trim() === '') throw wrong(`${where} needs a "reason"`);
    const override = entry.override === true;
    const wildcard = entry.name.endsWith('.*');
    if (override && wildcard) throw wrong(`${where} overrides a whole package; "override" takes one name in full`);
    const plain = wildcard ? entry.name.slice(0, -2) : entry.name;
    const escaped = plain.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    return {
      pattern: new RegExp(`^${escaped}${wildcard ? '\\.[^]+' : ''}$`),
      class: key === 'dangerous' ? 'dangerous' : 'known',
      uses: usesOf(entry.uses, where),
      reason: entry.reason.trim().replace(/\.$/, ''),
      override,
    };
  });
}

function usesOf(uses: unknown, where: string): PolicyUse[] {
  if (uses === undefined) return ['reference', 'instantiate'];
  if (!Array.isArray(uses)) throw wrong(`"uses" of ${where} must be a list`);
  return uses.map((use: unknown) => {
    const found = ALL_USES.find((known) => known === use);
    if (!found) throw wrong(`"uses" of ${where} takes ${ALL_USES.join(', ')}, not ${JSON.stringify(use)}`);
    return found;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(what: string): ModelError {
  return new ModelError('usage', `The policy file is not valid: ${what}.`);
}
