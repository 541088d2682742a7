/** The values of the contract below, for a recomputation without code of the engine. */
export const secondsCompetition = {
  everyMs: 1_000,
  /** Time after which a feed with one record per second is stale. */
  freshnessMs: 5_000,
  scheduleKeys: ['BTCUSDT-5s', 'ETHUSDT-5s'],
  periodMs: 10_000,
  checkpointMs: 20_000,
  windowsMs: { recent: 40_000, steady: 120_000, anchor: 300_000 },
  rankBy: 'recent',
  direction: 'desc',
  value: 'value',
  scoreFields: ['value'],
  baseline: 'flat',
  rankedFrom: 0.8,
  paidFrom: 0.5,
} as const

/** A text of a contract, and what replaces it. */
export type Edit = readonly [find: string | RegExp, replace: string]

/** Seconds instead of minutes in the realtime pack, so that minutes of the test correspond to hours of a competition. */
export const secondsChanges: readonly Edit[] = [
  ["granularity: '1m'", "granularity: '1s'"],
  ["timeout: '10s'", "timeout: '2s'"],
  [/metrics: \[[^\]]*\]/, "metrics: ['ic', 'model_correlation']"],
  [/windows: \{[^}]*\}/, "windows: { recent: '40s', steady: '2m', anchor: '5m' }"],
  [/every: '7d'/, "every: '20s'"],
]

/** A contract with changes. Throws if one of them does not apply. */
export function editContract(text: string, changes: readonly Edit[]): string {
  return changes.reduce((changed, [find, replace]) => {
    const next = changed.replace(find, replace)
    if (next === changed) throw new Error(`the contract has no ${find}`)
    return next
  }, text)
}
