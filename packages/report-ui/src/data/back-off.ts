/** How long to wait before the next attempt, in ms: 1 s, 2 s, 4 s, up to 30 s. */
export function backOffMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** Math.max(0, failures - 1))
}
