/** The shortest and the longest wait between failed attempts. */
export interface BackOff {
  readonly firstMs: number
  readonly longestMs: number
}

/** The wait after `failures` (at least one) consecutive failures. It doubles with each failure, up to `longestMs`. */
export function backOffMs(failures: number, { firstMs, longestMs }: BackOff): number {
  // 2^30 is far beyond any longest wait and keeps the product finite.
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
}

/** Like {@link backOffMs}, but half of the wait is random, so that many clients of a lost peer do not reconnect at the same time. */
export function scatteredBackOffMs(failures: number, backOff: BackOff, random: () => number = Math.random): number {
  return backOffMs(failures, backOff) * (0.5 + random() / 2)
}
