import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import postgres from 'postgres'
import { afterEach, describe, expect, test } from 'vitest'
import type { FakeCandle } from '../src/adapters/feeds/binance/testing/fake-market.ts'
import { type FakeBinance, startFakeBinance } from '../src/adapters/feeds/binance/testing/start-fake-binance.ts'
import { workerCommand } from '../src/live/workers/worker-command.ts'
import { createMigratedDatabase } from './migrated-database.ts'
import { seededRandom } from './seeded-random.ts'

// CRUNCH_KILLS sets the number of kills, CRUNCH_SEED their times. The output of a run contains its seed.
const killCount = Number(process.env.CRUNCH_KILLS ?? 3)
const seed = Number(process.env.CRUNCH_SEED ?? Date.now() % 2 ** 31)

const secondMs = 1_000
/** Number of candles published before the worker starts, and while it runs. */
const pastCount = 4_000
const liveCount = 6_000
const startAt = Math.floor((Date.now() - 2.9 * 3_600_000) / secondMs) * secondMs
const contractPath = new URL('./second-candles-contract-file.ts', import.meta.url).pathname

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

function candle(index: number): FakeCandle {
  const openAt = startAt + index * secondMs
  const close = 100 + (index % 997) / 8
  return {
    ...{ symbol: 'BTCUSDT', interval: '1s', openAt, closeAt: openAt + secondMs },
    ...{ open: close - 1, high: close + 1, low: close - 2, close, volume: index },
  }
}

/** Publishes candles as fast as possible, each first as an open one: only closed candles may be stored. */
async function publishAll(exchange: FakeBinance, isOver: () => boolean): Promise<void> {
  for (let index = pastCount; index < pastCount + liveCount && !isOver(); index += 1) {
    exchange.publishCandle({ ...candle(index), close: 1 }, false)
    exchange.publishCandle(candle(index))
    await setTimeout(1)
  }
}

describe(`a feed worker that is killed ${killCount} times`, () => {
  test(
    'stores the same as an undisturbed one, once it has caught up',
    async () => {
      const database = await createMigratedDatabase()
      endings.push(() => database.drop())
      const exchange = await startFakeBinance()
      endings.push(() => exchange.close())
      for (let index = 0; index < pastCount; index += 1) exchange.publishCandle(candle(index))
      const sql = postgres(database.url, { max: 1, onnotice: () => {} })
      endings.push(() => sql.end({ timeout: 1 }))
      let isOver = false
      endings.push(() => {
        isOver = true
      })

      const random = seededRandom(seed)
      const stages = { backfill: 0, streaming: 0 }
      const publishing: Promise<void>[] = []
      for (let kill = 0; kill < killCount; kill += 1) {
        const worker = startWorker(database.url, exchange)
        // The first third of the kills hits the initial backfill from history, the others the stream after it.
        const isBackfill = kill < killCount / 3
        if (!isBackfill && publishing.length === 0) publishing.push(publishAll(exchange, () => isOver))
        const share = isBackfill ? (kill + random()) / Math.ceil(killCount / 3) : (kill + random()) / killCount
        await reached(sql, isBackfill ? share * pastCount : pastCount + share * liveCount * 0.9, worker)
        worker.kill('SIGKILL')
        await once(worker, 'exit')
        stages[isBackfill ? 'backfill' : 'streaming'] += 1
      }
      console.log(`killed ${JSON.stringify(stages)}, seed ${seed}`)

      startWorker(database.url, exchange)
      await Promise.all(publishing)
      await reached(sql, pastCount + liveCount)
      const rows = await sql<{ at: Date; close: number; volume: number }[]>`
        select event_at as at, ("values"->>'close')::float8 as close, ("values"->>'volume')::float8 as volume
        from feed_records order by event_at`
      const expected = Array.from({ length: pastCount + liveCount }, (_, index) => candle(index))
      expect(rows.map(({ at, close, volume }) => [at.getTime(), close, volume])).toEqual(
        expected.map(({ openAt, close, volume }) => [openAt, close, volume]),
      )
      const [state] =
        await sql`select record_count::int as records, revision_count::int as revisions from feed_ingestion_state`
      expect(state).toEqual({ records: pastCount + liveCount, revisions: 0 })
    },
    60_000 + killCount * 10_000,
  )
})

function startWorker(databaseUrl: string, exchange: FakeBinance): ChildProcess {
  const { command, args } = workerCommand(['feed-data'])
  const worker = spawn(command, [...args, '--contract', contractPath], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      FEED_BINANCE_REST_URL: exchange.restUrl,
      FEED_BINANCE_STREAM_URL: exchange.streamUrl,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  endings.push(async () => {
    if (worker.exitCode !== null || worker.signalCode !== null) return
    worker.kill('SIGKILL')
    await once(worker, 'exit')
  })
  return worker
}

/** Waits until this many records are stored; rejects if the worker ends before. */
async function reached(sql: postgres.Sql, count: number, worker?: ChildProcess): Promise<void> {
  for (;;) {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from information_schema.tables where table_name = 'feed_records'`
    if (row?.count === 1) {
      const [records] = await sql<{ count: number }[]>`select count(*)::int as count from feed_records`
      if ((records?.count ?? 0) >= count) return
    }
    if (worker !== undefined && worker.exitCode !== null) throw new Error(`the worker ended with ${worker.exitCode}`)
    await setTimeout(5)
  }
}
