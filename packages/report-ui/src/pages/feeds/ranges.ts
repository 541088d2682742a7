import { stepMs } from '../../charts/record-chart.ts'
import { msOf } from '../../format/times.ts'
import type { Feed } from './feed-names.ts'

export interface Range {
  /** In the address. */
  readonly key: string
  readonly title: string
  /** Null: all. */
  readonly ms: number | null
}

const hourMs = 3_600_000

const ranges = [
  { key: '1h', title: '1 h', ms: hourMs },
  { key: '6h', title: '6 h', ms: 6 * hourMs },
  { key: '1d', title: '1 d', ms: 24 * hourMs },
  { key: '7d', title: '7 d', ms: 168 * hourMs },
  { key: '30d', title: '30 d', ms: 720 * hourMs },
  { key: '365d', title: '1 year', ms: 8_760 * hourMs },
] as const

/** A choice is offered only if it shows several values and not all. */
const fewest = 8
/** The API refuses ranges with more records of the grid. */
const most = 200_000

/** The ranges that can be chosen for a series, by the times of its first and its newest record. */
export function rangesOf({
  oldest_ts,
  newest_ts,
  granularity,
}: Pick<Feed, 'oldest_ts' | 'newest_ts' | 'granularity'>): readonly Range[] {
  if (oldest_ts === null || newest_ts === null) return []
  const allMs = msOf(newest_ts) - msOf(oldest_ts)
  const step = stepMs(granularity) ?? 1
  const fitting = ranges.filter(({ ms }) => ms < allMs && ms >= fewest * step && ms <= most * step)
  return allMs / step < most ? [...fitting, { key: 'all', title: 'all', ms: null }] : fitting
}
