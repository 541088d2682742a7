/**
 * The value below which `share` (0 to 1) of sorted numbers lie, with linear interpolation between two neighbours, like PostgreSQL's
 * `percentile_cont`; `null` without numbers.
 */
export function percentile(sorted: readonly number[], share: number): number | null {
  const place = share * (sorted.length - 1)
  const low = sorted[Math.floor(place)]
  const high = sorted[Math.ceil(place)]
  if (low === undefined || high === undefined) return null
  return low + (place - Math.floor(place)) * (high - low)
}
