import { existsSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createBinanceSource } from '../src/adapters/feeds/binance/create-binance-source.ts'
import { candleRow, type FakeCandle } from '../src/adapters/feeds/binance/testing/fake-market.ts'
import { startFakeBinance } from '../src/adapters/feeds/binance/testing/start-fake-binance.ts'
import { createMemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import { onlyEra } from '../src/domain/era.ts'
import type { Instant } from '../src/domain/time.ts'
import { openLiveFeed } from '../src/live/feeds/live-feed.ts'
import { readSettings } from '../src/live/settings.ts'
import type { WorkerContext } from '../src/live/workers/worker-context.ts'
import { btc } from '../src/ports/store-samples.ts'
import { createTestRunner, steady } from './competition.ts'
import { changedContract, market } from './sample-contract.ts'
import { createTestLog } from './test-log.ts'

// Real prices are stored outside the repository, because several sets have no licence.
const path = fileURLToPath(
  new URL('../../../../shared/data/series/binance-spot-BTCUSDT-1m-2021-04.csv.gz', import.meta.url),
)
const isWithoutSeries = !existsSync(path) && process.env.CI !== 'true'
const minuteMs = 60_000
const aroundMs = 60 * minuteMs

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

function readCandles(from: Instant, to: Instant): ReadonlyMap<Instant, FakeCandle> {
  const rows = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n').slice(1)
  const candles = rows.map((row) => {
    const [openAt = 0, open = 0, high = 0, low = 0, close = 0, volume = 0] = row.split(',').map(Number)
    const values = { open, high, low, close, volume }
    return { symbol: 'BTCUSDT', interval: '1m', openAt, closeAt: openAt + minuteMs, ...values }
  })
  return new Map(candles.filter(({ openAt }) => openAt >= from && openAt < to).map((one) => [one.openAt, one]))
}

/** A plausible candle for a minute that the recording lacks, as an exchange without losses would have it. */
function lostCandle(openAt: Instant): FakeCandle {
  const price = 50_000 + ((openAt / minuteMs) % 97)
  const values = { open: price, high: price, low: price, close: price, volume: 1 }
  return { symbol: 'BTCUSDT', interval: '1m', openAt, closeAt: openAt + minuteMs, ...values }
}

/** A node on an exchange with the test's clock, which streams the recorded candles minute by minute. */
async function openNode(startAt: Instant) {
  let now = startAt
  const exchange = await startFakeBinance({ symbols: ['BTCUSDT'], now: () => now })
  endings.push(() => exchange.close())
  const { restUrl, streamUrl } = exchange
  const [store, log, ending] = [createMemoryStore(), createTestLog(), new AbortController()]
  const context: WorkerContext = {
    contract: changedContract({ feed: { ...market, subjects: ['BTCUSDT'] } }),
    settings: readSettings({ FEED_BACKFILL_MINUTES: '0' }),
    sources: new Map([['binance', createBinanceSource({ restUrl, streamUrl, now: () => now })]]),
    clock: { now: () => now, refresh: async () => now, turn: async () => {} },
    ...{ store, log, signal: ending.signal, era: onlyEra, ready: () => {}, contractFolder: '.' },
  }
  const { pipeline, run } = await openLiveFeed(context)
  await pipeline.openPredictor(createTestRunner({ a: steady(0.5) }))
  const running = run()
  endings.push(async () => {
    ending.abort()
    await running
  })
  await exchange.connected(1)
  return {
    ...{ exchange, store, log },
    /** Streams the candle and opens its round, or lets its minute pass without one. */
    async pass(openAt: Instant, candle: FakeCandle | undefined) {
      now = openAt + minuteMs
      if (candle !== undefined) {
        exchange.publishCandle(candle)
        while ((await store.lastRoundTimes()).get('BTCUSDT-5m') !== now) await setImmediate()
      }
      await pipeline.settle()
    },
  }
}

const time = (at: Instant) => new Date(at).toISOString().slice(5, 16)

describe.skipIf(isWithoutSeries)('a gap of 2021-04 (skipped without ../shared)', () => {
  const holes: readonly (readonly [string, number])[] = [
    ['2021-04-20T02:00Z', 150],
    ['2021-04-25T04:01Z', 284],
  ]
  const cases = holes.flatMap(([from, count]) => [true, false].map((isKept) => ({ from, count, isKept })))

  test.each(cases)('from $from, $count minutes, available in history: $isKept', async ({ from, count, isKept }) => {
    const holeAt = Date.parse(from)
    const holeEndAt = holeAt + count * minuteMs
    const [startAt, endAt] = [holeAt - aroundMs, holeEndAt + aroundMs]
    const recorded = readCandles(startAt, endAt)
    const { exchange, store, log, pass } = await openNode(startAt)
    for (let openAt = startAt; openAt < endAt; openAt += minuteMs) {
      const lost = lostCandle(openAt)
      if (isKept && !recorded.has(openAt)) exchange.market.putCandle('BTCUSDT', '1m', candleRow(lost))
      await pass(openAt, recorded.get(openAt))
    }

    // The table has every minute, including the missed ones if the exchange's history has them.
    const stored = await store.latestRecords(btc, 10_000, endAt)
    const minutes = Array.from({ length: (endAt - startAt) / minuteMs }, (_, index) => startAt + index * minuteMs)
    const known = isKept ? minutes : minutes.filter((at) => recorded.has(at))
    expect(stored.map(({ eventAt, values }) => [eventAt, values.close])).toEqual(
      known.map((at) => [at, (recorded.get(at) ?? lostCandle(at)).close]),
    )
    const reports = log.lines.filter(({ message }) => message === 'records are missing')
    expect(reports.map(({ fields }) => fields.missingCount)).toEqual(isKept ? [] : [count])

    // Filled records are too late to open rounds, except for the last minute. Rounds that ended in the gap are void.
    const { rounds, scores } = store.dump()
    const opening = known.filter((at) => recorded.has(at) || at === holeEndAt - minuteMs)
    expect(rounds.map(({ performedAt }) => performedAt)).toEqual(opening.map((at) => at + minuteMs))
    const missed = rounds.map(({ missedBefore }) => missedBefore).filter((rest) => rest > 0)
    expect(missed).toEqual([isKept ? count - 1 : count])
    const voids = rounds.filter(({ voidReason }) => voidReason !== null)
    expect(voids.map(({ performedAt }) => time(performedAt))).toEqual(
      [-3, -2, -1, 0].map((minute) => time(holeAt + minute * minuteMs)),
    )
    const due = rounds.filter(({ resolvableAt }) => resolvableAt <= endAt)
    expect(due.map(({ status }) => status)).toEqual(due.map(() => 'RESOLVED'))
    expect(scores).toHaveLength(due.length - voids.length)
  })
})
