import type { AnswerOf } from '@crunch/coordinator-node/client'
import { node } from './node.ts'
import { useResource } from './resource.ts'

export type StoredRecord = AnswerOf<'get', '/reports/feeds/tail'>[number]

export type Scope = Pick<StoredRecord, 'source' | 'subject' | 'kind' | 'granularity'>

/** As the node names a series: `binance:BTCUSDT:candle:1m`. */
export function seriesKey({ source, subject, kind, granularity }: Scope): string {
  return `${source}:${subject}:${kind}:${granularity}`
}

/** The parts that identify a series, for a query. */
export function scopeOf({ source, subject, kind, granularity }: Scope): Scope {
  return { source, subject, kind, granularity }
}

const recordCount = 200

/** The newest records of a series, newest first. */
export function useNewestRecords(scope: Scope) {
  const key = seriesKey(scope)
  return useResource<readonly StoredRecord[]>(
    `records ${key}`,
    (signal) => node.get('/reports/feeds/tail', { query: { ...scopeOf(scope), limit: recordCount }, signal }),
    {
      topics: ['feeds'],
      apply: (event, _, current) => (seriesKey(event as Scope) === key ? undefined : current),
    },
  )
}
