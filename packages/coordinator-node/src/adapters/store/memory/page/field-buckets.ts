import type { FeedRecord } from '../../../../domain/feed-record.ts'
import type { BucketSpan, FieldBucket } from '../../../../ports/reads/page-reads.ts'
import { compareText } from '../../compare-text.ts'
import type { FeedTable } from '../feed-table.ts'

export function fieldBuckets(feeds: FeedTable, { scope, from, to, bucketMs }: BucketSpan): readonly FieldBucket[] {
  const records = feeds
    .latest(scope, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    .filter(({ eventAt }) => from <= eventAt && eventAt < to)
    .sort((one, other) => one.eventAt - other.eventAt)
  const buckets = new Map<string, FieldBucket>()
  for (const record of records) addRecord(buckets, record, bucketMs)
  return [...buckets.values()].sort((one, other) => one.start - other.start || compareText(one.field, other.field))
}

function addRecord(buckets: Map<string, FieldBucket>, { eventAt, values }: FeedRecord, bucketMs: number): void {
  const start = Math.floor(eventAt / bucketMs) * bucketMs
  for (const [field, value] of Object.entries(values)) {
    if (typeof value !== 'number') continue
    const key = `${start} ${field}`
    const old = buckets.get(key) ?? { ...{ start, field, first: value, min: value, max: value }, count: 0, sum: 0 }
    buckets.set(key, {
      ...{ ...old, last: value, count: old.count + 1, sum: old.sum + value },
      ...{ min: Math.min(old.min, value), max: Math.max(old.max, value) },
    })
  }
}
