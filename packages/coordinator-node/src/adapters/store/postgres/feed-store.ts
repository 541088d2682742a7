import { type FeedRecord, type FeedScope, type FeedState, feedScopeKey } from '../../../domain/feed-record.ts'
import type { Instant } from '../../../domain/time.ts'
import type { AppendedRecords, FeedStore } from '../../../ports/store-feed.ts'
import type { RetentionStore } from '../../../ports/store-retention.ts'
import { checkRecords } from '../check-records.ts'
import { compareText } from '../compare-text.ts'
import { announceStatement } from './announcements/record-announcement.ts'
import { appendPast } from './append-past.ts'
import { createRetentionStore } from './retention-store.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { type RecordArray, recordArray, recordDocument, recordOf, type ScopeRow, scopeOf } from './schema/rows.ts'
import { jsonParameter, type Query, type Sql } from './session/connect.ts'

/** Ordinals within the batch. `unseen`: another worker wrote the key after this statement began, so it must be repeated. */
interface AppendRow {
  readonly inserted: readonly number[]
  readonly revised: readonly number[]
  readonly unseen: readonly number[]
}

interface StateRow extends ScopeRow, Omit<FeedState, 'scope'> {}

export interface FeedStoreOptions {
  /** Mark of this store in announcements; set if inserted records are announced. */
  readonly announceAs: string | null
}

export function createFeedStore(sql: Sql, { announceAs }: FeedStoreOptions): FeedStore & RetentionStore {
  return {
    ...createRetentionStore(sql),
    appendRecords: (records) => append(sql, records, announceAs),
    appendPast: (records) => appendPast(sql, records, (rest) => append(sql, rest, null)),
    async recordsBehind(scope, { knownAt, eventAt }, limit) {
      const rows = await sql<{ record: RecordArray }[]>`
        select ${recordArray(sql)} as record from feed_records
        where ${isScope(sql, scope)} and (known_at, event_at) > (${knownAt}::timestamptz, ${eventAt}::timestamptz)
        order by known_at, event_at limit ${limit}`
      return rows.map(({ record }) => recordOf(scope, record))
    },
    async latestRecords(scope, limit, knownThrough) {
      const rows = await sql<{ record: RecordArray }[]>`
        select ${recordArray(sql)} as record from feed_records
        where ${isScope(sql, scope)} and known_at <= ${knownThrough}
        order by known_at desc, event_at desc limit ${limit}`
      return rows.map(({ record }) => recordOf(scope, record)).reverse()
    },
    async newestRecords(scope, limit, eventThrough) {
      const rows = await sql<{ record: RecordArray }[]>`
        select ${recordArray(sql)} as record from feed_records
        where ${isScope(sql, scope)} and event_at <= ${eventThrough} order by event_at desc limit ${limit}`
      return rows.map(({ record }) => recordOf(scope, record))
    },
    async ensureFeeds(scopes, at) {
      const document = { scopes: scopes.map((scope) => ({ ...scopeOf(scope), at: encodeInstant(at) })) }
      await sql`
        insert into feed_ingestion_state
          (source, subject, kind, granularity, updated_at, status, status_reason, status_since)
        select distinct source, subject, kind, granularity, at, 'down', 'no data yet', at
        from json_to_recordset(${jsonParameter(sql, document)}->'scopes')
          as s(source text, subject text, kind text, granularity text, at timestamptz)
        order by source, subject, kind, granularity
        on conflict do nothing`
    },
    async putFeedStatus(scope, status, reason, at) {
      const document = { ...scopeOf(scope), status, reason, at: encodeInstant(at) }
      await sql`
        insert into feed_ingestion_state as old
          (source, subject, kind, granularity, updated_at, status, status_reason, status_since)
        select source, subject, kind, granularity, at, status, reason, at
        from json_to_record(${jsonParameter(sql, document)})
          as s(source text, subject text, kind text, granularity text, status text, reason text, at timestamptz)
        on conflict (source, subject, kind, granularity) do update set
          status = excluded.status,
          status_reason = excluded.status_reason,
          status_since = case when old.status = excluded.status then old.status_since else excluded.status_since end,
          updated_at = greatest(old.updated_at, excluded.updated_at)`
    },
    async newestWatermark() {
      const [row] = await sql<{ at: Instant | null }[]>`select max(watermark_at) as at from feed_ingestion_state`
      return row?.at ?? null
    },
    async feedStates() {
      const rows = await sql<StateRow[]>`
        select source, subject, kind, granularity, record_count as "recordCount", revision_count as "revisionCount",
          oldest_event_at as "oldestEventAt", newest_event_at as "newestEventAt", watermark_at as "watermarkAt",
          updated_at as "updatedAt", status, status_reason as "statusReason", status_since as "statusSince"
        from feed_ingestion_state`
      return rows.map(stateOf).sort((a, b) => compareText(feedScopeKey(a.scope), feedScopeKey(b.scope)))
    },
  }
}

async function append(sql: Sql, records: readonly FeedRecord[], announceAs: string | null): Promise<AppendedRecords> {
  checkRecords(records)
  const inserted: FeedRecord[] = []
  const revisions: FeedRecord[] = []
  let open = records
  // Each repetition requires that another worker has just written one of the keys; a key is written only once.
  for (let turn = 0; open.length > 0 && turn < 10; turn += 1) {
    const [row] = await sql<AppendRow[]>`${appendStatement(sql, open, announceAs)}`
    const batch = open
    const at = (ordinal: number): FeedRecord => batch[ordinal] as FeedRecord
    inserted.push(...(row?.inserted ?? []).map(at))
    revisions.push(...(row?.revised ?? []).map(at))
    open = (row?.unseen ?? []).map(at)
  }
  if (open.length > 0) throw new Error(`${open.length} records were neither written nor found written`)
  return { inserted, duplicateCount: records.length - inserted.length - revisions.length, revisions }
}

const isScope = (sql: Query, { source, subject, kind, granularity }: FeedScope) =>
  sql`source = ${source} and subject = ${subject} and kind = ${kind} and granularity = ${granularity}`

function stateOf({ source, subject, kind, granularity, ...state }: StateRow): FeedState {
  return { scope: { source, subject, kind, granularity }, ...state }
}

/**
 * Writes records, revisions, counters, watermark and announcement in one statement, i.e. one round trip and one transaction.
 * Keys are written in order, so that two workers with the same records wait for each other instead of deadlocking.
 */
function appendStatement(sql: Sql, records: readonly FeedRecord[], announceAs: string | null) {
  const document = { records: records.map((record, ord) => ({ ord, ...recordDocument(record) })) }
  return sql`
    with batch as materialized (
      select *, row_number() over (partition by source, subject, kind, granularity, event_at order by ord) = 1 as is_first
      from json_to_recordset(${jsonParameter(sql, document)}->'records') as r(
        ord int, source text, subject text, kind text, granularity text,
        event_at timestamptz, known_at timestamptz, received_at timestamptz, "values" jsonb)
    ), fresh as (
      insert into feed_records (source, subject, kind, granularity, event_at, known_at, received_at, "values")
      select source, subject, kind, granularity, event_at, known_at, received_at, "values"
      from batch where is_first order by source, subject, kind, granularity, event_at
      on conflict do nothing
      returning *
    ), judged as materialized (
      select b.*, md5(b."values"::text) as values_hash, coalesce(f."values", s."values") as standing,
        f.source is not null and b.is_first as is_inserted
      from batch b
      left join fresh f using (source, subject, kind, granularity, event_at)
      left join feed_records s using (source, subject, kind, granularity, event_at)
    ), revised as (
      insert into feed_record_revisions
        (source, subject, kind, granularity, event_at, values_hash, known_at, received_at, "values")
      select distinct on (source, subject, kind, granularity, event_at, values_hash)
        source, subject, kind, granularity, event_at, values_hash, known_at, received_at, "values"
      from judged where standing <> "values"
      order by source, subject, kind, granularity, event_at, values_hash, ord
      on conflict do nothing
      returning source, subject, kind, granularity, event_at, values_hash, received_at
    ), changed as (
      select source, subject, kind, granularity, 1 as inserted, 0 as revised, event_at, known_at, received_at from fresh
      union all
      select source, subject, kind, granularity, 0, 1, null, null, received_at from revised
    ), counted as (
      insert into feed_ingestion_state as old
        (source, subject, kind, granularity, record_count, revision_count, oldest_event_at, newest_event_at,
          watermark_at, updated_at, status, status_reason, status_since)
      select source, subject, kind, granularity, sum(inserted), sum(revised), min(event_at), max(event_at),
        max(known_at), max(received_at), 'down', 'no data yet', min(received_at)
      from changed group by source, subject, kind, granularity order by source, subject, kind, granularity
      on conflict (source, subject, kind, granularity) do update set
        record_count = old.record_count + excluded.record_count,
        revision_count = old.revision_count + excluded.revision_count,
        oldest_event_at = least(old.oldest_event_at, excluded.oldest_event_at),
        newest_event_at = greatest(old.newest_event_at, excluded.newest_event_at),
        watermark_at = greatest(old.watermark_at, excluded.watermark_at),
        updated_at = greatest(old.updated_at, excluded.updated_at)
    )${announceAs === null ? sql`` : announceStatement(sql, announceAs)}
    select
      coalesce((select json_agg(ord order by ord) from judged where is_inserted), '[]') as inserted,
      coalesce((select json_agg(ord order by ord) from (
        select min(ord) as ord from judged join revised using (source, subject, kind, granularity, event_at, values_hash)
        group by source, subject, kind, granularity, event_at, values_hash) as first_of_each), '[]') as revised,
      coalesce((select json_agg(ord order by ord) from judged where standing is null), '[]') as unseen
      ${announceAs === null ? sql`` : sql`, (select count(*) from announced) as announced`}`
}
