import type { FeedStore, PruneRequest } from '../../../ports/store-feed.ts'
import type { PruneResults, RetentionStore } from '../../../ports/store-retention.ts'
import type { Fragment, Sql } from './session/connect.ts'

export function createRetentionStore(sql: Sql): Pick<FeedStore, 'pruneRecords'> & RetentionStore {
  const countOf = async (statement: Fragment): Promise<number> => {
    const [row] = await sql<{ count: number }[]>`${statement}`
    return row?.count ?? 0
  }
  return {
    pruneRecords: (request) => countOf(pruneStatement(sql, request)),
    pruneRounds: (request) => countOf(roundsStatement(sql, request)),
    prunePeriods: (request) => countOf(periodsStatement(sql, request)),
  }
}

/** Without a closed period or a checkpoint everything is needed; `least` leaves out a null. */
const unneeded = (sql: Sql, { before, windowMs }: PruneResults) => sql`least(
  ${before}::timestamptz,
  coalesce((select max(as_of) from leaderboards), '-infinity') - ${Math.max(1, windowMs)} * interval '1 millisecond',
  coalesce((select max(period_end) from checkpoints), '-infinity'),
  (select min(period_start) from checkpoints where refusals <> '[]' and acknowledged_at is null))`

function roundsStatement(sql: Sql, request: PruneResults) {
  return sql`
    with expired as materialized (
      select id from inputs
      where status = 'RESOLVED' and resolvable_at < ${unneeded(sql, request)}
      order by resolvable_at, id limit ${request.limit}
    ), unscored as (
      delete from scores using expired where scores.input_id = expired.id
    ), unanswered as (
      delete from predictions using expired where predictions.input_id = expired.id
    ), pruned as (
      delete from inputs using expired where inputs.id = expired.id returning 1
    )
    select count(*)::int as count from pruned`
}

function periodsStatement(sql: Sql, request: PruneResults) {
  return sql`
    with expired as materialized (
      select as_of from leaderboards
      where as_of <= ${unneeded(sql, request)}
      order by as_of limit ${request.limit}
    ), unranked as (
      delete from snapshots using expired where snapshots.period_end = expired.as_of
    ), pruned as (
      delete from leaderboards using expired where leaderboards.as_of = expired.as_of returning 1
    )
    select count(*)::int as count from pruned`
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
