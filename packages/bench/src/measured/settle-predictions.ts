import { openPostgresStore, type Store } from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import {
  createInProcessRunner,
  createPipeline,
  createVirtualClock,
  driveBatch,
  type Log,
  type SourceRecord,
} from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { exampleModels } from './example-models.ts'

const minuteMs = 60_000
const minuteCount = 600
const modelCount = 25
const firstOpenAt = 27_000_000 * minuteMs
/** The horizon: prices continue for this long, so that every round is due. */
const horizonMinutes = 5

/** Rate at which due rounds become scores, snapshots and leaderboards. The rounds are created as in a replay. */
export async function settlePredictions(databaseUrl: string, log: Log): Promise<Figures> {
  const opened = await openPostgresStore({ url: databaseUrl })
  let lastSettledAt = Number.NaN
  const store: Store = {
    ...opened,
    async settleRounds(request, decide) {
      const result = await opened.settleRounds(request, decide)
      lastSettledAt = performance.now()
      return result
    },
  }
  const runner = createInProcessRunner(exampleModels(modelCount))
  try {
    const clock = createVirtualClock()
    const pipeline = createPipeline(realtime, { store, clock, log })
    const clockRounds = await pipeline.openPredictor(runner)
    for (let minute = 0; minute < minuteCount; minute += 1)
      await driveBatch(pipeline, clockRounds, clock, candlesOf(minute))
    // The records of their truths are stored without opening further rounds.
    const truths = createPipeline(realtime, { store, clock, log })
    for (let minute = minuteCount; minute < minuteCount + horizonMinutes; minute += 1) {
      clock.advanceTo(firstOpenAt + (minute + 1) * minuteMs)
      await truths.accept(candlesOf(minute).map((record) => ({ ...record, receivedAt: record.knownAt })))
    }
    const startedAt = performance.now()
    const { resolvedCount } = await pipeline.settle()
    const endedAt = performance.now()
    const expected = minuteCount * realtime.prediction.schedule.length
    if (resolvedCount !== expected) throw new Error(`${resolvedCount} of ${expected} rounds were settled`)
    const count = resolvedCount * modelCount
    return {
      predictionsPerSecond: count / ((endedAt - startedAt) / 1_000),
      roundsOnlyPerSecond: count / ((lastSettledAt - startedAt) / 1_000),
    }
  } finally {
    await runner.close()
    await store.close()
  }
}

function candlesOf(minute: number): SourceRecord[] {
  const eventAt = firstOpenAt + minute * minuteMs
  return ['BTCUSDT', 'ETHUSDT'].map((subject, index) => {
    const close = 60_000 / (index + 1) + 400 * Math.sin(minute / 7 + index)
    const values = { open: close - 1, high: close + 2.5, low: close - 3.25, close, volume: 10 + (minute % 13) }
    return {
      source: 'binance',
      subject,
      kind: 'candle',
      granularity: '1m',
      eventAt,
      knownAt: eventAt + minuteMs,
      values,
    }
  })
}
