import {
  type FeedRecord,
  type FeedScope,
  type FeedState,
  type FeedStatus,
  feedScopeKey,
} from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { jsonEqual } from '../../../domain/json/json-equal.ts'
import type { Instant } from '../../../domain/time.ts'
import type { AppendedRecords, PruneRequest, RecordCursor } from '../../../ports/store-feed.ts'
import { checkRecords } from '../check-records.ts'
import { compareText } from '../compare-text.ts'
import { firstIndex, insertAllSorted } from './sorted-list.ts'

/** One scope's records and state. */
interface Feed {
  readonly scope: FeedScope
  /** Ordered by (knownAt, eventAt). */
  readonly records: FeedRecord[]
  readonly byEventAt: Map<Instant, FeedRecord>
  readonly revisions: Map<Instant, JsonObject[]>
  newestEventAt: Instant | null
  oldestEventAt: Instant | null
  watermarkAt: Instant | null
  updatedAt: Instant
  insertedCount: number
  revisionCount: number
  status: FeedStatus
  statusReason: string | null
  statusSince: Instant
}

export interface FeedTable {
  append(records: readonly FeedRecord[]): AppendedRecords
  latest(scope: FeedScope, limit: number, knownThrough: Instant): readonly FeedRecord[]
  /** Newest first, by the time of the event. */
  newest(scope: FeedScope, limit: number, eventThrough: Instant): readonly FeedRecord[]
  /** Oldest first. */
  behind(scope: FeedScope, after: RecordCursor, limit: number): readonly FeedRecord[]
  ensure(scopes: readonly FeedScope[], at: Instant): void
  putStatus(scope: FeedScope, status: FeedStatus, reason: string | null, at: Instant): void
  newestWatermark(): Instant | null
  /** @param firstUnresolved when the first unresolved round of a scope was performed */
  prune(request: PruneRequest, firstUnresolved: (scope: FeedScope) => Instant): number
  watermark(scope: FeedScope): Instant | null
  lastKnown(scope: FeedScope, at: Instant): FeedRecord | null
  /** `after < knownAt <= through`. */
  between(scope: FeedScope, after: Instant, through: Instant): readonly FeedRecord[]
  states(): readonly FeedState[]
  recordCount(): number
}

export function createFeedTable(): FeedTable {
  const feeds = new Map<string, Feed>()
  const find = (scope: FeedScope): Feed | undefined => feeds.get(identity(scope))
  const recordsOf = (scope: FeedScope): readonly FeedRecord[] => find(scope)?.records ?? []

  function open(scope: FeedScope, at: Instant): Feed {
    const known = find(scope)
    if (known !== undefined) return known
    const feed = emptyFeed(scope, at)
    feeds.set(identity(scope), feed)
    return feed
  }

  return {
    append: (records) => append(records, (record) => open(record, record.receivedAt)),
    latest(scope, limit, knownThrough) {
      const records = recordsOf(scope)
      const end = firstBehind(records, knownThrough)
      return records.slice(Math.max(0, end - limit), end)
    },
    newest: (scope, limit, eventThrough) =>
      recordsOf(scope)
        .filter(({ eventAt }) => eventAt <= eventThrough)
        .sort((left, right) => right.eventAt - left.eventAt)
        .slice(0, limit),
    behind(scope, { knownAt, eventAt }, limit) {
      const isBehind = (record: FeedRecord) =>
        record.knownAt > knownAt || (record.knownAt === knownAt && record.eventAt > eventAt)
      const records = recordsOf(scope)
      const start = firstIndex(records, isBehind)
      return records.slice(start, start + limit)
    },
    ensure(scopes, at) {
      for (const scope of scopes) open(scope, at)
    },
    putStatus(scope, status, reason, at) {
      const feed = open(scope, at)
      if (feed.status !== status) feed.statusSince = at
      feed.status = status
      feed.statusReason = reason
      feed.updatedAt = Math.max(feed.updatedAt, at)
    },
    newestWatermark() {
      let newest: Instant | null = null
      for (const { watermarkAt } of feeds.values()) {
        if (watermarkAt !== null && (newest === null || watermarkAt > newest)) newest = watermarkAt
      }
      return newest
    },
    prune: ({ before, keepMs, limit }, firstUnresolved) =>
      [...feeds.values()].reduce((count, feed) => {
        const bound = Math.min(before, firstUnresolved(feed.scope) - keepMs, feed.watermarkAt ?? before)
        return count + prune(feed, bound, limit - count)
      }, 0),
    watermark: (scope) => find(scope)?.watermarkAt ?? null,
    lastKnown(scope, at) {
      const records = recordsOf(scope)
      return records[firstBehind(records, at) - 1] ?? null
    },
    between(scope, after, through) {
      const records = recordsOf(scope)
      const start = firstBehind(records, after)
      return records.slice(start, Math.max(start, firstBehind(records, through)))
    },
    states: () => [...feeds.values()].map(stateOf).sort(compareStates),
    recordCount: () => [...feeds.values()].reduce((count, feed) => count + feed.records.length, 0),
  }
}

function append(records: readonly FeedRecord[], feedOf: (record: FeedRecord) => Feed): AppendedRecords {
  checkRecords(records)
  const inserted: FeedRecord[] = []
  const revisions: FeedRecord[] = []
  const added = new Map<Feed, FeedRecord[]>()
  for (const record of records) {
    const feed = feedOf(record)
    const stored = feed.byEventAt.get(record.eventAt)
    if (stored === undefined) {
      feed.byEventAt.set(record.eventAt, record)
      inserted.push(record)
      const list = added.get(feed)
      if (list === undefined) added.set(feed, [record])
      else list.push(record)
    } else if (keepRevision(feed, stored, record)) revisions.push(record)
    else continue
    feed.updatedAt = Math.max(feed.updatedAt, record.receivedAt)
  }
  for (const [feed, list] of added) {
    insertAllSorted(feed.records, list, compareRecords)
    feed.insertedCount += list.length
    moveBounds(feed, list)
  }
  return { inserted, duplicateCount: records.length - inserted.length - revisions.length, revisions }
}

/** Deletes up to `limit` records with `knownAt < bound`, and their revisions. */
function prune(feed: Feed, bound: Instant, limit: number): number {
  const expired = firstIndex(feed.records, (record) => record.knownAt >= bound)
  const pruned = feed.records.splice(0, Math.min(expired, limit))
  for (const { eventAt } of pruned) {
    feed.byEventAt.delete(eventAt)
    feed.revisions.delete(eventAt)
  }
  return pruned.length
}

/** Index of the first record that was not yet known at an instant. */
function firstBehind(records: readonly FeedRecord[], at: Instant): number {
  return firstIndex(records, (record) => record.knownAt > at)
}

/** Whether these values are new; an already stored revision is a duplicate. */
function keepRevision(feed: Feed, stored: FeedRecord, record: FeedRecord): boolean {
  if (jsonEqual(stored.values, record.values)) return false
  const kept = feed.revisions.get(record.eventAt) ?? []
  if (kept.some((values) => jsonEqual(values, record.values))) return false
  feed.revisions.set(record.eventAt, [...kept, record.values])
  feed.revisionCount += 1
  return true
}

function moveBounds(feed: Feed, added: readonly FeedRecord[]): void {
  for (const { eventAt, knownAt } of added) {
    if (feed.oldestEventAt === null || eventAt < feed.oldestEventAt) feed.oldestEventAt = eventAt
    if (feed.newestEventAt === null || eventAt > feed.newestEventAt) feed.newestEventAt = eventAt
    if (feed.watermarkAt === null || knownAt > feed.watermarkAt) feed.watermarkAt = knownAt
  }
}

/** An unambiguous key: scope keys join names with colons, which names may contain. */
function identity({ source, subject, kind, granularity }: FeedScope): string {
  return `${source}\u0000${subject}\u0000${kind}\u0000${granularity}`
}

function emptyFeed({ source, subject, kind, granularity }: FeedScope, at: Instant): Feed {
  return {
    scope: { source, subject, kind, granularity },
    records: [],
    byEventAt: new Map(),
    revisions: new Map(),
    oldestEventAt: null,
    newestEventAt: null,
    watermarkAt: null,
    updatedAt: at,
    insertedCount: 0,
    revisionCount: 0,
    status: 'down',
    statusReason: 'no data yet',
    statusSince: at,
  }
}

function stateOf(feed: Feed): FeedState {
  const { records: _records, byEventAt: _byEventAt, revisions: _revisions, insertedCount, ...state } = feed
  return { ...state, recordCount: insertedCount }
}

function compareRecords(left: FeedRecord, right: FeedRecord): number {
  return left.knownAt - right.knownAt || left.eventAt - right.eventAt
}

function compareStates(left: FeedState, right: FeedState): number {
  return compareText(feedScopeKey(left.scope), feedScopeKey(right.scope))
}
