import type { AnswerOf } from '@crunch/coordinator-node/client'
import { node } from './node.ts'
import { type Scope, scopeOf, seriesKey } from './records.ts'
import { useResource } from './resource.ts'

export type Series = AnswerOf<'get', '/reports/feeds/series'>

export interface SeriesRange {
  /** Times of the API; absent: from the first record, to the newest. */
  readonly start?: string | undefined
  readonly end?: string | undefined
  /** How many points at most. */
  readonly points: number
}

/** The values of a series over a range, summed up to so many points. */
export function useSeries(scope: Scope, { start, end, points }: SeriesRange) {
  const key = seriesKey(scope)
  return useResource<Series>(
    `series ${key} ${start} ${end} ${points}`,
    (signal) => node.get('/reports/feeds/series', { query: { ...scopeOf(scope), start, end, points }, signal }),
    {
      topics: ['feeds'],
      apply: (event, _, current) => (seriesKey(event as Scope) === key ? undefined : current),
    },
  )
}
