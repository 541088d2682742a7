import { afterEach, describe, expect, it } from 'vitest'
import { type FeedScope, feedScopeKey } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'
import type { FeedSource, SourceRecord } from './feed-source.ts'

export interface FeedSourceHarness {
  /** A source of exactly these candles, however the adapter comes by them; they arrive in an order it has to put right. */
  open(candles: readonly SourceRecord[]): Promise<OpenedFeedSource>
}

export interface OpenedFeedSource {
  readonly source: FeedSource
  close(): Promise<void>
}

const minuteMs = 60_000
const startAt: Instant = Date.UTC(2026, 2, 1, 10)
const deadlineMs = 10_000
const minuteCandles = 12

function scopeOf(subject: string): FeedScope {
  return { source: 'exchange', subject, kind: 'candle', granularity: '1m' }
}

const btc = scopeOf('BTCUSDT')
const eth = scopeOf('ETHUSDT')
const scopes = [btc, eth]
const beforeAll = new Map(scopes.map((scope) => [feedScopeKey(scope), startAt - minuteMs]))

function candle(scope: FeedScope, minute: number): SourceRecord {
  const eventAt = startAt + minute * minuteMs
  const close = 100 + minute + (scope.subject === 'BTCUSDT' ? 0.5 : 0)
  const values = { open: close - 1, high: close + 1, low: close - 2, close, volume: minute }
  return { ...scope, eventAt, knownAt: eventAt + minuteMs, values }
}

/** Two subjects with a gap of three minutes; by time, then by scope key. */
const allCandles = Array.from({ length: minuteCandles }, (_, minute) => minute)
  .filter((minute) => minute < 4 || minute > 6)
  .flatMap((minute) => [candle(btc, minute), candle(eth, minute)])

/** What every feed source promises. Sources that never end pass as well: nothing here waits for the end of a stream. */
export function feedSourceTestsuite(name: string, harness: FeedSourceHarness): void {
  describe(`feed source: ${name}`, () => {
    const opened: OpenedFeedSource[] = []
    async function open(): Promise<FeedSource> {
      const one = await harness.open(allCandles)
      opened.push(one)
      return one.source
    }
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()))
    })
    describeAndOrder(open)
    resumeAndEnd(open)
    historyRanges(open)
  })
}

type Open = () => Promise<FeedSource>

function describeAndOrder(open: Open): void {
  it('describes its series', async () => {
    const description = await (await open()).describe()
    expect(description.source).toBe('exchange')
    expect([...description.scopes].sort(byKey)).toEqual(scopes)
  })

  it('streams every record once, in order of knownAt, one instant a batch, each batch in order of scope key', async () => {
    const batches = await streamed(await open(), scopes, beforeAll, allCandles.length)
    expect(batches.flat()).toEqual(allCandles)
    for (const batch of batches) {
      expect(new Set(batch.map((record) => record.knownAt)).size).toBe(1)
      expect(batch).toHaveLength(2)
    }
  })

  it('gives a candle as known one granularity after it opens', async () => {
    const [first] = await streamed(await open(), [btc], beforeAll, 1)
    expect(first?.[0]).toMatchObject({ eventAt: startAt, knownAt: startAt + minuteMs })
  })

  it('streams only the series that were asked for', async () => {
    const wanted = allCandles.filter((record) => record.subject === 'ETHUSDT')
    expect((await streamed(await open(), [eth], beforeAll, wanted.length)).flat()).toEqual(wanted)
  })
}

function resumeAndEnd(open: Open): void {
  it('resumes each series behind its own watermark', async () => {
    const watermarks = new Map([
      [feedScopeKey(btc), candle(btc, 2).knownAt],
      [feedScopeKey(eth), candle(eth, 8).knownAt],
    ])
    const expected = allCandles.filter((record) => record.knownAt > (watermarks.get(feedScopeKey(record)) ?? 0))
    const source = await open()
    expect((await streamed(source, scopes, watermarks, expected.length)).flat()).toEqual(expected)
  })

  it('loses and doubles nothing when it is left after any batch and resumed from the watermark', async () => {
    const source = await open()
    let watermarks: ReadonlyMap<string, Instant> = beforeAll
    const records: SourceRecord[] = []
    while (records.length < allCandles.length) {
      const [batch] = await streamed(source, scopes, watermarks, 1)
      records.push(...(batch ?? []))
      watermarks = new Map([...watermarks, ...(batch ?? []).map((it) => [feedScopeKey(it), it.knownAt] as const)])
    }
    expect(records).toEqual(allCandles)
  })

  it('ends quietly when it is aborted, before and in the middle', async () => {
    const source = await open()
    expect(await ended(source.stream(scopes, beforeAll, AbortSignal.abort()))).toEqual([])
    const stop = new AbortController()
    const rest = await ended(source.stream(scopes, beforeAll, stop.signal), () => stop.abort())
    expect(rest.flat()).toEqual(allCandles.slice(0, 2))
  })

  it('serves two streams at once', async () => {
    const source = await open()
    const both = await Promise.all([
      streamed(source, scopes, beforeAll, allCandles.length),
      streamed(source, [btc], beforeAll, allCandles.length / 2),
    ])
    expect(both.map((batches) => batches.flat().length)).toEqual([allCandles.length, allCandles.length / 2])
  })
}

function historyRanges(open: Open): void {
  it('gives the history of one series, oldest first, from the first instant up to and without the last', async () => {
    const signal = AbortSignal.timeout(deadlineMs)
    const pages = (await open()).history(btc, startAt + minuteMs, startAt + 9 * minuteMs, signal)
    const minutes = [1, 2, 3, 7, 8]
    expect((await ended(pages)).flat()).toEqual(minutes.map((minute) => candle(btc, minute)))
  })

  it('gives an empty history outside of its range, and none once aborted', async () => {
    const source = await open()
    const signal = AbortSignal.timeout(deadlineMs)
    expect((await ended(source.history(btc, startAt - 9 * minuteMs, startAt, signal))).flat()).toEqual([])
    const later = startAt + 60 * minuteMs
    expect((await ended(source.history(btc, startAt, later, AbortSignal.abort()))).flat()).toEqual([])
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

function byKey(one: FeedScope, other: FeedScope): number {
  return feedScopeKey(one) < feedScopeKey(other) ? -1 : 1
}
