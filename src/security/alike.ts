import type { SecurityFinding } from './report';

/** Findings of one rule and severity in one member that are listed; the rest is counted. */
const MAX_ALIKE = 50;

interface Kind {
  rule: string;
  member: string;
  count: number;
}

/** Counts findings that are alike: a file can hold millions of them, of which the first say it. */
export class Alike {
  private readonly kinds = new Map<string, Kind>();

  /** Counts one more; whether it is to be listed. The severity is a part of the kind, so that none can hide a worse one. */
  lists(rule: string, severity: SecurityFinding['severity'], member: string): boolean {
    const key = `${rule}\n${severity}\n${member}`;
    let kind = this.kinds.get(key);
    if (!kind) {
      kind = { rule, member, count: 0 };
      this.kinds.set(key, kind);
    }
    return ++kind.count <= MAX_ALIKE;
  }

  /** What is said about those that are not listed. */
  rest(): SecurityFinding[] {
    const rest: SecurityFinding[] = [];
    for (const { rule, member, count } of this.kinds.values()) {
      if (count <= MAX_ALIKE) continue;
      rest.push({
        rule,
        severity: 'info',
        member,
        message: `${(count - MAX_ALIKE).toLocaleString('en-US')} more findings of the kind ${rule} are not listed.`,
      });
    }
    return rest;
  }
}
