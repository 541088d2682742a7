import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createBinanceSource } from '../src/adapters/feeds/binance/create-binance-source.ts'
import {
  expectedCandles,
  expectedTrades,
  type Frame,
  isTrade,
  isWithoutLogs,
  putTradeBefore,
  readLog,
  scopesOf,
  symbolsOf,
} from '../src/adapters/feeds/binance/testing/recorded-log.ts'
import { startFakeBinance } from '../src/adapters/feeds/binance/testing/start-fake-binance.ts'
import { createMemoryStore, type MemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import type { FeedRecord, FeedScope } from '../src/domain/feed-record.ts'
import { followSource } from '../src/live/follow/follow-source.ts'
import { createFollowedSeries } from '../src/live/follow/followed-series.ts'
import { defaultPatience } from '../src/live/follow/timing.ts'
import { silentLog } from '../src/ports/log.ts'
import { seededRandom } from './seeded-random.ts'

const seed = Number(process.env.CRUNCH_SEED ?? 20_261_126)
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** The frames of the followed streams, in order of arrival. */
function followedFrames(name: string): readonly Frame[] {
  return readLog(name).frames.filter((frame) => isTrade(frame) || frame.data.e === 'kline')
}

/** An exchange that publishes a log frame by frame. Its history contains each published frame, connected clients or not. */
async function openExchange(frames: readonly Frame[]) {
  let serverAt = 0
  const exchange = await startFakeBinance({ symbols: symbolsOf(frames), now: () => serverAt })
  endings.push(() => exchange.close())
  for (const symbol of symbolsOf(frames)) putTradeBefore(exchange, frames, symbol)
  return {
    exchange,
    now: () => serverAt,
    publish({ stream, data }: Frame) {
      serverAt = Math.max(serverAt, data.E)
      if (data.e === 'aggTrade') exchange.market.putTrade(data.s, data)
      else if (data.k.x) {
        const { t, o, h, l, c, v, T } = data.k
        exchange.market.putCandle(data.s, data.k.i, [t, o, h, l, c, v, T, '0', 1, '0', '0', '0'])
      }
      for (const connection of exchange.connections) connection.offer(stream, data)
    },
    settle() {
      serverAt += 10_000
    },
  }
}

function scopesOfLog(frames: readonly Frame[]): readonly FeedScope[] {
  const candleSymbols = symbolsOf(frames.filter(({ data }) => data.e === 'kline'))
  return [...scopesOf(candleSymbols, 'candle'), ...scopesOf(symbolsOf(frames.filter(isTrade)), 'trade')]
}

/** The start of each series of the log. */
function firstAt(frames: readonly Frame[], { subject, kind }: FeedScope): number {
  const own = frames.filter((frame) => frame.data.s === subject && isTrade(frame) === (kind === 'trade'))
  return Math.min(...own.map(({ data }) => data.T ?? data.k.t))
}

/** Follows the candles and trades of the log. The connection is cut after `cutAt` frames, and `missed` frames pass before the next. */
async function followCut(frames: readonly Frame[], cutAt: number, missed: number) {
  const { exchange, now, publish, settle } = await openExchange(frames)
  let quietNow = 0
  const source = createBinanceSource({
    ...{ restUrl: exchange.restUrl, streamUrl: exchange.streamUrl },
    ...{ quietMs: 1, now: () => quietNow, wait: (_, signal) => setTimeout(1, undefined, { signal }) },
  })
  const series = scopesOfLog(frames).map((scope) => createFollowedSeries(scope, null, firstAt(frames, scope)))
  const store = createMemoryStore()
  const stop = new AbortController()
  const following = (async () => {
    const batches = followSource({
      ...{ source, series, log: silentLog, signal: stop.signal },
      timing: { now, random: () => 0, wait: (lengthMs, signal) => pause(lengthMs, signal) },
      patience: { ...defaultPatience, firstMs: 1, longestMs: 5, repairMs: 10 },
      onConnected: async () => {},
      onInterrupted: async () => {},
    })
    let revisionCount = 0
    for await (const batch of batches) {
      const { revisions } = await store.appendRecords(batch.map((record) => ({ ...record, receivedAt: 0 })))
      revisionCount += revisions.length
    }
    return revisionCount
  })()
  const first = await exchange.connected(1)
  for (const frame of frames.slice(0, cutAt)) publish(frame)
  await first.cut()
  for (const frame of frames.slice(cutAt, cutAt + missed)) publish(frame)
  await exchange.connected(2)
  for (const frame of frames.slice(cutAt + missed)) publish(frame)
  settle()
  quietNow = 1
  const expected = expectedRecords(frames)
  while (storedCount(store) < expected.length) await setTimeout(2)
  stop.abort()
  return {
    revisionCount: await following,
    records: await storedRecords(
      store,
      series.map(({ scope }) => scope),
    ),
  }
}

const storedCount = (store: MemoryStore) => store.dump().feedRecordCount

type StoredRecord = Pick<FeedRecord, 'subject' | 'kind' | 'eventAt' | 'values'>

async function storedRecords(store: MemoryStore, scopes: readonly FeedScope[]) {
  const stored = await Promise.all(scopes.map((scope) => store.latestRecords(scope, 10_000, Number.MAX_SAFE_INTEGER)))
  return stored.flat().map(({ subject, kind, eventAt, values }) => ({ subject, kind, eventAt, values }))
}

function expectedRecords(frames: readonly Frame[]): readonly StoredRecord[] {
  const candles = expectedCandles(frames).map(({ subject, kind, eventAt, values }) => ({
    subject,
    kind,
    eventAt,
    values,
  }))
  const trades = symbolsOf(frames.filter(isTrade)).flatMap((subject) =>
    expectedTrades(frames, subject).map(({ at, ...values }) => ({ subject, kind: 'trade', eventAt: at, values })),
  )
  return [...candles, ...trades]
}

async function pause(lengthMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(lengthMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

const inOrder = (records: readonly StoredRecord[]) =>
  [...records].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
const keyOf = ({ subject, kind, eventAt }: StoredRecord) => `${kind} ${subject} ${eventAt}`

describe.skipIf(isWithoutLogs)('a followed exchange (skipped where ../shared/data/payloads is absent)', () => {
  test.each(['BINANCE', 'BINANCE_US', 'BINANCE_FUTURES'])(
    'with the log %s loses and duplicates nothing, after whichever message the connection is cut',
    async (name) => {
      const frames = followedFrames(`cryptofeed/${name}.ws.1.0.txt.gz`)
      const expected = inOrder(expectedRecords(frames))
      const random = seededRandom(seed)
      for (let cutAt = 0; cutAt <= frames.length; cutAt += 1) {
        const missed = Math.floor(random() * 6)
        const { records, revisionCount } = await followCut(frames, cutAt, missed)
        expect(inOrder(records), `cut behind ${cutAt} messages, ${missed} missed`).toEqual(expected)
        expect(revisionCount).toBe(0)
        for (const end of endings.splice(0).reverse()) await end()
      }
    },
    120_000,
  )
})
