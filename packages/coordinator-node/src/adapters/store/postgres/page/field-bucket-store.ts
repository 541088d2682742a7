import type { FeedSeriesReads, FieldBucket } from '../../../../ports/reads/page-reads.ts'
import type { Sql } from '../session/connect.ts'

export function createFieldBucketStore(sql: Sql): FeedSeriesReads {
  return {
    fieldBuckets: ({ scope: { source, subject, kind, granularity }, from, to, bucketMs }) => sql<FieldBucket[]>`
      select start, field, count(*) as count, (array_agg(number order by event_at))[1] as first,
        (array_agg(number order by event_at desc))[1] as last, min(number) as min, max(number) as max, sum(number order by event_at) as sum
      from (
        select event_at, (floor(extract(epoch from event_at) * 1000 / ${bucketMs}::int8) * ${bucketMs}::int8)::int8 as start, key as field,
          case when jsonb_typeof(value) = 'number' then value::float8 end as number
        from feed_records cross join lateral jsonb_each("values")
        where source = ${source} and subject = ${subject} and kind = ${kind} and granularity = ${granularity}
          and event_at >= ${from} and event_at < ${to}
      ) numbers
      where number is not null group by start, field order by start, field collate "C"`,
  }
}
