import type { FeedStore, PruneRequest } from '../../../ports/store-feed.ts'
import type { Sql } from './session/connect.ts'

export function createRetentionStore(sql: Sql): Pick<FeedStore, 'pruneRecords'> {
  return {
    async pruneRecords(request) {
      const [row] = await sql<{ count: number }[]>`${pruneStatement(sql, request)}`
      return row?.count ?? 0
    },
  }
}

/** Reads each series along its index on `known_at`, up to the limit. */
function pruneStatement(sql: Sql, { before, keepMs, limit }: PruneRequest) {
  return sql`
    with needed as (
      select source, subject, kind, granularity, min(performed_at) - ${keepMs} * interval '1 millisecond' as from_at
      from inputs where status = 'RECEIVED' group by source, subject, kind, granularity
    ), expired as materialized (
      select r.* from feed_ingestion_state feed
      left join needed using (source, subject, kind, granularity)
      cross join lateral (
        select source, subject, kind, granularity, event_at from feed_records
        where source = feed.source and subject = feed.subject and kind = feed.kind and granularity = feed.granularity
          and known_at < least(${before}::timestamptz, needed.from_at, feed.watermark_at)
        order by known_at, event_at limit ${limit}
      ) r
      limit ${limit}
    ), pruned as (
      delete from feed_records using expired
      where feed_records.source = expired.source and feed_records.subject = expired.subject
        and feed_records.kind = expired.kind and feed_records.granularity = expired.granularity
        and feed_records.event_at = expired.event_at
      returning 1
    ), revisions as (
      delete from feed_record_revisions old using expired
      where old.source = expired.source and old.subject = expired.subject and old.kind = expired.kind
        and old.granularity = expired.granularity and old.event_at = expired.event_at
    )
    select count(*)::int as count from pruned`
}
