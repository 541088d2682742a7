import { afterEach, describe, expect, it } from 'vitest'
import { type FeedScope, feedScopeKey } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'
import type { FeedSource, SourceRecord } from './feed-source.ts'

export interface FeedSourceHarness {
  /** The name of the source in its records. */
  readonly source: string
  /** The kind of the records; `candle` unless the source has none. */
  readonly kind?: string
  /** Whether `stream` begins after the given watermarks. Sources that cannot go back begin at the connection. */
  readonly resumes: boolean
  /** Whether `stream` delivers the records of one instant together, as recordings do. */
  readonly batchesInstants: boolean
  /**
   * Opens a source of exactly these records, two series on a one-minute grid. Its history contains all of them, and each
   * connection streams all of them, possibly in an order that the adapter must correct.
   */
  open(records: readonly SourceRecord[]): Promise<OpenedFeedSource>
}

export interface OpenedFeedSource {
  readonly source: FeedSource
  close(): Promise<void>
}

const minuteMs = 60_000
const startAt: Instant = Date.UTC(2026, 2, 1, 10)
const deadlineMs = 10_000
const minuteRecords = 12

/** Two series of a harness's source and their records, ordered by time and scope key, with a gap of three minutes. */
function samplesOf({ source, kind = 'candle' }: FeedSourceHarness) {
  const scopeOf = (subject: string): FeedScope => ({ source, subject, kind, granularity: '1m' })
  const btc = scopeOf('BTCUSDT')
  const eth = scopeOf('ETHUSDT')
  const scopes = [btc, eth]
  function record(scope: FeedScope, minute: number): SourceRecord {
    const eventAt = startAt + minute * minuteMs
    const close = 100 + minute + (scope.subject === 'BTCUSDT' ? 0.5 : 0)
    if (kind !== 'candle') return { ...scope, eventAt, knownAt: eventAt, values: { price: close } }
    const values = { open: close - 1, high: close + 1, low: close - 2, close, volume: minute }
    return { ...scope, eventAt, knownAt: eventAt + minuteMs, values }
  }
  const records = Array.from({ length: minuteRecords }, (_, minute) => minute)
    .filter((minute) => minute < 4 || minute > 6)
    .flatMap((minute) => [record(btc, minute), record(eth, minute)])
  const beforeAll = new Map(scopes.map((scope) => [feedScopeKey(scope), startAt - minuteMs]))
  return { btc, eth, scopes, record, records, beforeAll }
}

/** Conformance suite for feed sources. It also works for sources that never end, because it never waits for the end. */
export function feedSourceTestsuite(name: string, harness: FeedSourceHarness): void {
  const samples = samplesOf(harness)
  describe(`feed source: ${name}`, () => {
    const opened: OpenedFeedSource[] = []
    async function open(): Promise<FeedSource> {
      const one = await harness.open(samples.records)
      opened.push(one)
      return one.source
    }
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()))
    })
    const suite = { harness, open, ...samples }
    describeAndOrder(suite)
    endAndShare(suite)
    if (harness.resumes) resume(suite)
    if (harness.batchesInstants) batchInstants(suite)
    historyRanges(suite)
  })
}

type Suite = ReturnType<typeof samplesOf> & {
  readonly harness: FeedSourceHarness
  readonly open: () => Promise<FeedSource>
}

function describeAndOrder({ open, scopes, btc, eth, records, beforeAll }: Suite): void {
  it('describes its series', async () => {
    const offers = await (await open()).describe(AbortSignal.timeout(deadlineMs))
    const { source, kind, granularity } = btc
    const fitting = offers.filter(
      (offer) =>
        offer.source === source &&
        offer.kind === kind &&
        (offer.granularities === 'any' || offer.granularities.includes(granularity)),
    )
    const has = ({ subject }: FeedScope) =>
      fitting.some(({ subjects }) => subjects === 'any' || subjects.includes(subject))
    expect(scopes.map(has)).toEqual([true, true])
  })

  it('streams every record once, in order of knownAt within its series', async () => {
    const batches = await streamed(await open(), scopes, beforeAll, records.length)
    for (const scope of scopes) {
      const mine = (record: SourceRecord) => record.subject === scope.subject
      expect(batches.flat().filter(mine)).toEqual(records.filter(mine))
    }
    expect(batches.flat()).toHaveLength(records.length)
  })

  it('reports an open connection before it yields', async () => {
    const events: string[] = []
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)])
    for await (const _ of (await open()).stream(scopes, beforeAll, signal, () => events.push('open'))) {
      events.push('batch')
      break
    }
    stop.abort()
    expect(events).toEqual(['open', 'batch'])
  })

  it('streams only the requested series', async () => {
    const wanted = records.filter((record) => record.subject === 'ETHUSDT')
    expect((await streamed(await open(), [eth], beforeAll, wanted.length)).flat()).toEqual(wanted)
  })
}

function batchInstants({ open, scopes, records, beforeAll }: Suite): void {
  it('delivers one instant per batch, ordered by scope key', async () => {
    const batches = await streamed(await open(), scopes, beforeAll, records.length)
    expect(batches.flat()).toEqual(records)
    for (const batch of batches) {
      expect(new Set(batch.map((record) => record.knownAt)).size).toBe(1)
      expect(batch).toHaveLength(2)
    }
  })
}

function endAndShare({ open, scopes, btc, records, beforeAll }: Suite): void {
  it('ends without an error when it is aborted, before and during the stream', async () => {
    const source = await open()
    expect(await ended(source.stream(scopes, beforeAll, AbortSignal.abort()))).toEqual([])
    const stop = new AbortController()
    const rest = await ended(source.stream(scopes, beforeAll, stop.signal), () => stop.abort())
    expect(rest).toHaveLength(1)
  })

  it('supports two concurrent streams', async () => {
    const source = await open()
    const both = await Promise.all([
      streamed(source, scopes, beforeAll, records.length),
      streamed(source, [btc], beforeAll, records.length / 2),
    ])
    expect(both.map((batches) => batches.flat().length)).toEqual([records.length, records.length / 2])
  })
}

function resume({ open, scopes, btc, eth, record, records, beforeAll }: Suite): void {
  it('resumes each series after its own watermark', async () => {
    const watermarks = new Map([
      [feedScopeKey(btc), record(btc, 2).knownAt],
      [feedScopeKey(eth), record(eth, 8).knownAt],
    ])
    const expected = records.filter((one) => one.knownAt > (watermarks.get(feedScopeKey(one)) ?? 0))
    const found = (await streamed(await open(), scopes, watermarks, expected.length)).flat()
    expect(found.sort(byTimeThenKey)).toEqual(expected)
  })

  it('loses and duplicates nothing when it is resumed from the watermark after any batch', async () => {
    const source = await open()
    let watermarks: ReadonlyMap<string, Instant> = beforeAll
    const found: SourceRecord[] = []
    while (found.length < records.length) {
      const [batch] = await streamed(source, scopes, watermarks, 1)
      found.push(...(batch ?? []))
      watermarks = new Map([...watermarks, ...(batch ?? []).map((it) => [feedScopeKey(it), it.knownAt] as const)])
    }
    expect(found.sort(byTimeThenKey)).toEqual(records)
  })
}

function historyRanges({ open, btc, record }: Suite): void {
  async function history(from: number, to: number, signal = AbortSignal.timeout(deadlineMs)) {
    const source = await open()
    if (source.history === undefined) return null
    return (await ended(source.history(btc, startAt + from * minuteMs, startAt + to * minuteMs, signal))).flat()
  }

  it('returns the history of one series, oldest first, including the first instant and excluding the last', async () => {
    const found = await history(1, 9)
    // A source without a history does not have the method.
    if (found !== null) expect(found).toEqual([1, 2, 3, 7, 8].map((minute) => record(btc, minute)))
  })

  it('returns an empty history outside its range, and none once aborted', async () => {
    expect((await history(-9, 0)) ?? []).toEqual([])
    expect((await history(0, 60, AbortSignal.abort())) ?? []).toEqual([])
  })
}

/** Takes batches until they hold `count` records, then stops the stream. */
async function streamed(
  source: FeedSource,
  wanted: readonly FeedScope[],
  from: ReadonlyMap<string, Instant>,
  count: number,
): Promise<(readonly SourceRecord[])[]> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)])
  const batches: (readonly SourceRecord[])[] = []
  let left = count
  for await (const batch of source.stream(wanted, from, signal)) {
    batches.push(batch)
    left -= batch.length
    if (left <= 0) break
  }
  stop.abort()
  return batches
}

async function ended(
  pages: AsyncIterable<readonly SourceRecord[]>,
  onPage?: () => void,
): Promise<(readonly SourceRecord[])[]> {
  const found: (readonly SourceRecord[])[] = []
  for await (const page of pages) {
    found.push(page)
    onPage?.()
  }
  return found
}

function byTimeThenKey(one: SourceRecord, other: SourceRecord): number {
  return one.knownAt - other.knownAt || (feedScopeKey(one) < feedScopeKey(other) ? -1 : 1)
}
