import type { FeedRecord, FeedScope } from '../../../domain/feed-record.ts'
import { groupBy } from '../../../domain/group-by.ts'
import type { Instant } from '../../../domain/time.ts'
import type { AppendedRecords } from '../../../ports/store-feed.ts'
import { checkRecords } from '../check-records.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { jsonParameter, type Sql } from './session/connect.ts'

/** Records per statement. More would hold the lock on the scope's state for too long. */
const mostRecords = 10_000
/** Size limit per statement: PostgreSQL cannot build a JSON array of 256 MiB. Records of a series are about equally large. */
const mostBytes = 48 * 1024 * 1024

/**
 * Appends records of the past. Records without conflicts, nearly all of them, use a statement that compares no values and
 * contains the scope only once; the rest goes through `append`.
 */
export async function appendPast(
  sql: Sql,
  records: readonly FeedRecord[],
  append: (records: readonly FeedRecord[]) => Promise<AppendedRecords>,
): Promise<number> {
  checkRecords(records)
  let insertedCount = 0
  for (const series of groupBy(records, namesOf).values()) {
    const size = batchSize(series)
    for (let first = 0; first < series.length; first += size) {
      const batch = series.slice(first, first + size)
      const count = await insertPast(sql, batch)
      insertedCount += count
      // Records inserted above are now found as duplicates.
      if (count < batch.length) insertedCount += (await append(batch)).inserted.length
    }
  }
  return insertedCount
}

/** Number of records of a series per statement, estimated from the largest of a few. */
function batchSize(series: readonly FeedRecord[]): number {
  const step = Math.max(1, Math.floor(series.length / 16))
  const sample = series.filter((_, index) => index % step === 0)
  const largest = Math.max(...sample.map(({ values }) => JSON.stringify(values).length))
  return Math.max(1, Math.min(mostRecords, Math.floor(mostBytes / largest)))
}

/** Key of the four names, because scope keys join names with colons, which names may contain. */
function namesOf({ source, subject, kind, granularity }: FeedRecord): string {
  return JSON.stringify([source, subject, kind, granularity])
}

async function insertPast(sql: Sql, records: readonly FeedRecord[]): Promise<number> {
  const scope = records[0] as FeedScope
  const instants = (of: (record: FeedRecord) => Instant) =>
    `{${records.map((record) => encodeInstant(of(record))).join(',')}}`
  const values = { values: records.map((record) => record.values) }
  const [row] = await sql<{ count: number }[]>`
    with batch as materialized (
      select distinct on (event_at) event_at, known_at, received_at, "values"
      from unnest(
        ${instants((record) => record.eventAt)}::text::timestamptz[],
        ${instants((record) => record.knownAt)}::text::timestamptz[],
        ${instants((record) => record.receivedAt)}::text::timestamptz[]
      ) with ordinality as t(event_at, known_at, received_at, ord)
      join jsonb_array_elements((${jsonParameter(sql, values)}->'values')::jsonb) with ordinality as v("values", ord)
        using (ord)
      order by event_at, ord
    ), fresh as (
      insert into feed_records (source, subject, kind, granularity, event_at, known_at, received_at, "values")
      select ${scope.source}, ${scope.subject}, ${scope.kind}, ${scope.granularity}, event_at, known_at, received_at, "values"
      from batch order by event_at
      on conflict do nothing
      returning event_at, known_at, received_at
    ), counted as (
      insert into feed_ingestion_state as old
        (source, subject, kind, granularity, record_count, revision_count, oldest_event_at, newest_event_at,
          watermark_at, updated_at, status, status_reason, status_since)
      select ${scope.source}, ${scope.subject}, ${scope.kind}, ${scope.granularity}, count(*), 0, min(event_at),
        max(event_at), max(known_at), max(received_at), 'down', 'no data yet', min(received_at)
      from fresh having count(*) > 0
      on conflict (source, subject, kind, granularity) do update set
        record_count = old.record_count + excluded.record_count,
        oldest_event_at = least(old.oldest_event_at, excluded.oldest_event_at),
        newest_event_at = greatest(old.newest_event_at, excluded.newest_event_at),
        watermark_at = greatest(old.watermark_at, excluded.watermark_at),
        updated_at = greatest(old.updated_at, excluded.updated_at)
    )
    select count(*) as count from fresh`
  return row?.count ?? 0
}
