import { setTimeout } from 'node:timers/promises'
import { openPostgresStore, type Store } from '@crunch/coordinator-node/internal'
import { readSettings } from '@crunch/coordinator-node/workers'
import { connectModels, type FeedSource, type Log, onlyEra, openLiveFeed, wallClock } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { percentile } from '../percentile.ts'
import { gridMs, scope, tickContract } from './tick-contract.ts'

/** Warm-up rounds, one after the other: a node runs for days, so its first rounds in unoptimized code are not typical. */
const warmUpCount = 300
const roundCount = 300
/** Slow enough that rounds do not wait for each other: this measures delay, not throughput. */
const everyMs = 100
const roundLimitMs = 15_000

/** Timestamps of one round, by `performance.now()`. */
interface RoundTimes {
  readonly yieldedAt: number
  answeredAt: number
  durableAt: number
  readonly markDurable: () => void
  readonly whenDurable: Promise<void>
}

type Times = Map<number, RoundTimes>

/** Time from a record to its stored predictions, on a node with feed-data and predict in one process. */
export async function predictLive(databaseUrl: string, port: number, modelCount: number, log: Log): Promise<Figures> {
  const times: Times = new Map()
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const ending = new AbortController()
  const opened = await openPostgresStore({ url: databaseUrl })
  const store = clocked(opened, times, modelCount)
  const settings = readSettings({
    CRUNCH_ID: tickContract.name,
    MODEL_RUNNER_NODE_HOST: '127.0.0.1',
    MODEL_RUNNER_NODE_PORT: String(port),
  })
  const sources = new Map([[scope.source, tickSource(times, finish)]])
  const context = {
    contract: tickContract,
    contractFolder: process.cwd(),
    settings,
    store,
    era: onlyEra,
    log,
    clock: wallClock,
    sources,
    signal: ending.signal,
    ready: () => {},
  }
  const runner = await connectModels(context)
  try {
    const connected = runner.models().length
    if (connected !== modelCount) throw new Error(`${connected} of ${modelCount} models are connected`)
    const { pipeline, run } = await openLiveFeed(context)
    await pipeline.openPredictor(runner)
    const feed = run()
    await Promise.race([feed, finished])
    ending.abort()
    await feed
  } finally {
    ending.abort()
    await runner.close()
    await opened.close()
  }
  const measured = [...times.values()].slice(warmUpCount)
  const durable = measured.map((round) => round.durableAt - round.yieldedAt)
  const answered = measured.map((round) => round.answeredAt - round.yieldedAt)
  return {
    p50: percentile(durable, 0.5),
    p99: percentile(durable, 0.99),
    answeredP50: percentile(answered, 0.5),
    answeredP99: percentile(answered, 0.99),
  }
}

/** The store, with timestamps before and after the write that makes a round's predictions durable. */
function clocked(store: Store, times: Times, modelCount: number): Store {
  return {
    ...store,
    async recordAnswers(roundId, answeredAt, predictions) {
      const calledAt = performance.now()
      const written = await store.recordAnswers(roundId, answeredAt, predictions)
      const pending = predictions.filter((prediction) => prediction.status === 'PENDING')
      const round = times.get(predictions[0]?.performedAt ?? Number.NaN)
      if (!written.isFirst || round === undefined || pending.length !== modelCount) {
        const other = predictions.find((prediction) => prediction.status !== 'PENDING')
        throw new Error(`${pending.length} of ${modelCount} models answered ${roundId} validly: ${other?.detail}`)
      }
      round.answeredAt = calledAt
      round.durableAt = performance.now()
      round.markDurable()
      return written
    },
  }
}

/** Prices: during warm-up one after each round, then one every 100 ms regardless of earlier rounds. */
function tickSource(times: Times, onFinished: () => void): FeedSource {
  return {
    describe: async () => [
      { source: scope.source, subjects: [scope.subject], kind: scope.kind, granularities: [scope.granularity] },
    ],
    async *stream(_scopes, _from, signal) {
      for (let count = 0; count < warmUpCount + roundCount && !signal.aborted; count += 1) {
        const isWarmUp = count < warmUpCount
        const eventAt = await nextInstant(isWarmUp ? gridMs : everyMs)
        const round = newRoundTimes()
        times.set(eventAt, round)
        yield [{ ...scope, eventAt, knownAt: eventAt, values: { price: 60_000 + (count % 97) * 1.25 } }]
        if (isWarmUp) await inTime(round.whenDurable)
      }
      await inTime(Promise.all([...times.values()].map((round) => round.whenDurable)))
      onFinished()
    },
    async *history() {},
  }
}

/** Waits for the next instant of a grid; missed instants are skipped. */
async function nextInstant(stepMs: number): Promise<number> {
  const at = (Math.floor(Date.now() / stepMs) + 1) * stepMs
  // A timer may fire a little early, but a record must not be from the future.
  while (Date.now() < at) await setTimeout(at - Date.now())
  return at
}

/** Created right before its record is yielded. */
function newRoundTimes(): RoundTimes {
  let markDurable = () => {}
  const whenDurable = new Promise<void>((resolve) => {
    markDurable = resolve
  })
  return { yieldedAt: performance.now(), answeredAt: Number.NaN, durableAt: Number.NaN, markDurable, whenDurable }
}

async function inTime(work: Promise<unknown>): Promise<void> {
  const ended = new AbortController()
  const late = setTimeout(roundLimitMs, 'late', { signal: ended.signal }).catch(() => 'ended')
  const first = await Promise.race([work, late])
  ended.abort()
  if (first === 'late') throw new Error(`a round has no stored answers after ${roundLimitMs} ms`)
}
