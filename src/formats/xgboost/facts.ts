import type { Booster } from './model';

/** Whether it was written by xgboost `major.minor` or later; what does not say is older than any. */
export function sinceVersion({ version }: Booster, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version ?? [];
  return a > major || (a === major && b >= minor);
}

/** The version that wrote it: in the binary form of 1.x its two first numbers, and nothing before 1.0. */
export function xgboostVersion({ version, baseIsRaw }: Booster): string | undefined {
  return version?.join('.') ?? (baseIsRaw ? 'before 1.0' : undefined);
}

/**
 * Trees that the wrappers' `apply` answers for: since 1.4 the rounds up to the best one, before all of them.
 */
export function usedTreeCount(booster: Booster): number {
  const { trees, rounds, attributes } = booster;
  if (!sinceVersion(booster, 1, 4)) return trees.length;
  const limit = Number(attributes.get('best_iteration') ?? -1) + 1;
  return limit > 0 ? (rounds[Math.min(limit, rounds.length - 1)] ?? trees.length) : trees.length;
}
