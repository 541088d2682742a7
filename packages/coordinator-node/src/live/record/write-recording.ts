import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { CrunchError } from '../../domain/errors.ts'
import { type FeedRecord, type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { formatInstant, type Instant } from '../../domain/time.ts'
import type { FeedStore, RecordCursor } from '../../ports/store-feed.ts'

/** Records of a series that became known in a time range. */
export interface RecordedStretch {
  readonly scope: FeedScope
  /** `from <= knownAt < to`. */
  readonly from: Instant
  readonly to: Instant
}

const pageRecords = 5_000
/** The fields of a recording's row in addition to the values. */
const reserved = ['event_at', 'known_at', 'received_at', 'subject'] as const

/** Pages of the stored records of a time range, ordered by (knownAt, eventAt). */
export async function* storedRecords(
  store: Pick<FeedStore, 'recordsBehind'>,
  { scope, from, to }: RecordedStretch,
  behind: RecordCursor = { knownAt: from, eventAt: Number.NEGATIVE_INFINITY },
): AsyncGenerator<readonly FeedRecord[]> {
  for (let cursor = behind; ; ) {
    const page = await store.recordsBehind(scope, cursor, pageRecords)
    const wanted = page.filter(({ knownAt }) => knownAt < to)
    if (wanted.length > 0) yield wanted
    const last = wanted.at(-1)
    if (last === undefined || page.length < pageRecords || wanted.length < page.length) return
    cursor = last
  }
}

/** A record as a row of an NDJSON recording. */
export function recordingRow(record: FeedRecord): string {
  const { subject, eventAt, knownAt, receivedAt, values } = record
  const taken = reserved.find((name) => name in values)
  if (taken !== undefined) {
    const place = `${feedScopeKey(record)} at ${formatInstant(eventAt)}`
    throw new CrunchError('BAD_REQUEST', `${place}: the value "${taken}" is a reserved name in recordings; rename it`)
  }
  const times = {
    event_at: formatInstant(eventAt),
    known_at: formatInstant(knownAt),
    received_at: formatInstant(receivedAt),
  }
  return `${JSON.stringify({ ...times, subject, ...values })}\n`
}

/**
 * Streams a time range into a gzipped NDJSON recording and returns its number of records. The file is created completely or
 * not at all; without records no file is created.
 */
export async function writeRecording(
  path: string,
  store: Pick<FeedStore, 'recordsBehind'>,
  stretch: RecordedStretch,
  signal: AbortSignal,
): Promise<number> {
  const draft = `${path}.draft`
  let count = 0
  async function* rows() {
    for await (const page of storedRecords(store, stretch)) {
      count += page.length
      yield page.map(recordingRow).join('')
    }
  }
  try {
    await pipeline(Readable.from(rows()), createGzip(), createWriteStream(draft, { flush: true }), { signal })
    if (count > 0) await rename(draft, path)
    return count
  } finally {
    await rm(draft, { force: true })
  }
}
