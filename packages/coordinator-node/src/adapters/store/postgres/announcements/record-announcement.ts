import { z } from 'zod'
import type { FeedRecord, FeedScope } from '../../../../domain/feed-record.ts'
import type { JsonObject } from '../../../../domain/json/json.ts'
import { decodeJson } from '../schema/text-codec.ts'
import type { Query } from '../session/connect.ts'

/** The channel on which inserted records are announced. */
export const announceChannel = 'crunch_records'

/**
 * An announcement is limited to 7,999 bytes. Records up to half of that are grouped; for a larger record only the key is
 * sent, and the listener reads it. A group starts within its bucket of bytes and ends with the record that leaves it, so it
 * stays below the limit.
 */
const bucketBytes = 3_900

/** Continues the append statement: announces the records that `judged` marks as inserted, in the same transaction. */
export const announceStatement = (sql: Query, announceAs: string) => sql`
  , documents as (
    select ord, case when octet_length(whole) <= ${bucketBytes}::int then whole else (key - 7)::text end as document
    from (select ord, key, key::text as whole from (select ord, jsonb_build_array(
      source, subject, kind, granularity, (extract(epoch from event_at) * 1000)::int8,
      (extract(epoch from known_at) * 1000)::int8, (extract(epoch from received_at) * 1000)::int8, "values") as key
      from judged where is_inserted) as arrays) as texts
  ), buckets as (
    select ord, document,
      (sum(octet_length(document) + 1) over (order by ord) - octet_length(document) - 1) / ${bucketBytes}::int as bucket
    from documents
  ), announced as materialized (
    select pg_notify(${announceChannel}, ${announceAs}::text || '[' || payload || ']')
    from (select string_agg(document, ',' order by ord) as payload
      from buckets group by bucket order by bucket) as payloads
  )`

/** A record, or the key of a record that was too large to announce. */
export type AnnouncedRecord = FeedRecord | { readonly keyOnly: FeedScope & Pick<FeedRecord, 'eventAt'> }

const heard = z.array(
  z
    .tuple([z.string(), z.string(), z.string(), z.string(), z.number(), z.number(), z.number()])
    .rest(z.custom<JsonObject>((value) => typeof value === 'object' && value !== null)),
)

/** The announced records with the mark of the inserting store. Throws for a foreign payload. */
export function parseAnnouncement(payload: string): { announcedBy: string; records: readonly AnnouncedRecord[] } {
  const start = payload.indexOf('[')
  const records = heard.parse(decodeJson(payload.slice(start)))
  return {
    announcedBy: payload.slice(0, start),
    records: records.map(([source, subject, kind, granularity, eventAt, knownAt, receivedAt, values]) => {
      if (values === undefined) return { keyOnly: { source, subject, kind, granularity, eventAt } }
      return { source, subject, kind, granularity, eventAt, knownAt, receivedAt, values }
    }),
  }
}
