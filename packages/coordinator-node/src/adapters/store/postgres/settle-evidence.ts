import type { FeedScope } from '../../../domain/feed-record.ts'
import type { Instant } from '../../../domain/time.ts'
import type { EvidenceRequest, RoundEvidence } from '../../../ports/store-settlement.ts'
import { type RecordArray, recordArray, recordOf, scopeOf } from './schema/rows.ts'
import { type Fragment, jsonParameter, type Query } from './session/connect.ts'

/** The columns that exist if evidence is requested for any scope. */
export interface EvidenceRow {
  /** The request for the round's scope. */
  readonly askedAt?: number | null
  readonly entryKnown?: readonly RecordArray[] | null
  readonly exitKnown?: readonly RecordArray[] | null
  readonly entryPeer?: RecordArray | null
  readonly exitPeer?: RecordArray | null
  readonly peerWatermarkAt?: Instant | null
}

/** Parts of a statement over due rounds `i` that add their evidence. All are empty if none is requested. */
export interface EvidenceParts {
  /** Goes before the other table expressions. */
  readonly tables: Fragment
  readonly columns: Fragment
  readonly joins: Fragment
}

export function evidenceParts(sql: Query, evidence: readonly EvidenceRequest[]): EvidenceParts {
  if (evidence.length === 0) return { tables: sql``, columns: sql``, joins: sql`` }
  // A limit cannot vary by row: each round gets the largest number, and the surplus is removed afterwards.
  const limit = Math.max(...evidence.map(({ recordCount }) => recordCount))
  const known = (at: Fragment) => sql`
    select json_agg(newest.record order by newest.known_at, newest.event_at) as records from (
      select r.known_at, r.event_at, ${recordArray(sql)} as record from feed_records r
      where e.asked_at is not null and r.known_at <= ${at}
        and r.source = i.source and r.subject = i.subject and r.kind = i.kind and r.granularity = i.granularity
      order by r.known_at desc, r.event_at desc limit ${limit}
    ) newest`
  const peer = (at: Fragment) => sql`
    select ${recordArray(sql)} as record from feed_records r
    where r.source = e.peer_source and r.subject = e.peer_subject and r.kind = e.peer_kind
      and r.granularity = e.peer_granularity and r.known_at <= ${at}
    order by r.known_at desc, r.event_at desc limit 1`
  return {
    tables: sql`asked as materialized (
      select * from json_to_recordset(${jsonParameter(sql, { evidence: evidence.map(evidenceDocument) })}->'evidence')
        as e(asked_at int, source text, subject text, kind text, granularity text,
          peer_source text, peer_subject text, peer_kind text, peer_granularity text)
    ), `,
    columns: sql`, e.asked_at as "askedAt", entry_known.records as "entryKnown", exit_known.records as "exitKnown",
      entry_peer.record as "entryPeer", exit_peer.record as "exitPeer", peer.watermark_at as "peerWatermarkAt"`,
    joins: sql`
      left join asked e on e.source = i.source and e.subject = i.subject and e.kind = i.kind
        and e.granularity = i.granularity
      left join feed_ingestion_state peer on peer.source = e.peer_source and peer.subject = e.peer_subject
        and peer.kind = e.peer_kind and peer.granularity = e.peer_granularity
      left join lateral (${known(sql`i.performed_at`)}) entry_known on true
      left join lateral (${known(sql`i.resolvable_at`)}) exit_known on true
      left join lateral (${peer(sql`i.performed_at`)}) entry_peer on true
      left join lateral (${peer(sql`i.resolvable_at`)}) exit_peer on true`,
  }
}

function evidenceDocument({ scope, peer }: EvidenceRequest, askedAt: number) {
  const { source, subject, kind, granularity } = scope
  return {
    ...{ asked_at: askedAt, source, subject, kind, granularity },
    ...{ peer_source: peer?.source, peer_subject: peer?.subject, peer_kind: peer?.kind },
    peer_granularity: peer?.granularity,
  }
}

export function evidenceOf(row: EvidenceRow, evidence: readonly EvidenceRequest[]): RoundEvidence | null {
  const request = evidence[row.askedAt ?? -1]
  if (request === undefined) return null
  const { recordCount, peer } = request
  const scope = scopeOf(request.scope)
  const asOf = (known: EvidenceRow['entryKnown'], other: RecordArray | null | undefined) => ({
    records: recordCount === 0 ? [] : (known ?? []).slice(-recordCount).map((record) => recordOf(scope, record)),
    peer: peerRecord(peer, other),
  })
  return {
    entry: asOf(row.entryKnown, row.entryPeer),
    exit: asOf(row.exitKnown, row.exitPeer),
    peerWatermarkAt: row.peerWatermarkAt ?? null,
  }
}

function peerRecord(scope: FeedScope | null, record: RecordArray | null | undefined) {
  return scope === null || record === null || record === undefined ? null : recordOf(scope, record)
}
