import type { Coverage, ImportUse, SecurityFinding, Verdict } from './report';

/** The verdict that findings ask for: the worst of them, never an average. */
export function worstOf(findings: readonly SecurityFinding[]): Verdict {
  if (findings.some((f) => f.severity === 'dangerous')) return 'dangerous';
  return findings.some((f) => f.severity === 'suspicious') ? 'suspicious' : 'safe';
}

/** The verdict in one sentence: the worst finding, or what "safe" rests on. */
export function sentenceFor(
  verdict: Verdict,
  findings: readonly SecurityFinding[],
  imports: readonly ImportUse[],
  coverage: readonly Coverage[],
): string {
  const worst = findings.filter((f) => f.severity === verdict);
  if (verdict !== 'safe' && worst.length > 0) {
    const more = worst.length - 1;
    return `${worst[0].message}${more > 0 ? ` And ${more} more.` : ''}`;
  }
  if (verdict !== 'safe') {
    const missed = coverage.filter((piece) => !piece.scanned);
    return `Not everything could be looked into: ${missed[0]?.member || 'the file'} (${missed[0]?.reason ?? 'not read'}).`;
  }
  const names = new Set(imports.map((use) => `${use.module}.${use.name}`)).size;
  const pickles = coverage.some((piece) => /pickle|torch|\.npy/.test(piece.kind));
  if (!pickles) return 'It holds no pickle and nothing else that runs on load.';
  return sentenceForNames(names);
}

/** One sentence for a file that is safe and read to its end. @param names imported, each counted once */
export function sentenceForNames(names: number): string {
  if (names === 0) return 'Read to the last byte; it imports nothing.';
  return `Read to the last byte; ${names === 1 ? 'the one imported name is' : `all ${names} imported names are`} known data or known constructors.`;
}
