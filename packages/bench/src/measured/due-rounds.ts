import type { AnyContract, Store } from '@crunch/coordinator-node/internal'
import {
  createInProcessRunner,
  createPipeline,
  createVirtualClock,
  driveBatch,
  type Log,
  type SourceRecord,
} from '../engine.ts'
import { exampleModels } from './example-models.ts'

const minuteMs = 60_000
const firstOpenAt = 27_000_000 * minuteMs
/** The horizon: this much longer go prices on, so that every round is due. */
const horizonMinutes = 5

export interface DueOptions {
  /** A contract on one-minute candles of BTC and ETH. */
  readonly contract: AnyContract
  readonly modelCount: number
  readonly minuteCount: number
  readonly log: Log
}

/** Makes rounds as a replay makes them, all due and none settled, and answers the pipeline that can settle them. */
export async function openDueRounds(store: Store, { contract, modelCount, minuteCount, log }: DueOptions) {
  const runner = createInProcessRunner(exampleModels(modelCount))
  try {
    const clock = createVirtualClock()
    const pipeline = createPipeline(contract, { store, clock, log })
    const clockRounds = await pipeline.openPredictor(runner)
    for (let minute = 0; minute < minuteCount; minute += 1)
      await driveBatch(pipeline, clockRounds, clock, candlesOf(minute))
    // These records provide the truths without opening new rounds.
    const truths = createPipeline(contract, { store, clock, log })
    for (let minute = minuteCount; minute < minuteCount + horizonMinutes; minute += 1) {
      clock.advanceTo(firstOpenAt + (minute + 1) * minuteMs)
      await truths.accept(candlesOf(minute).map((record) => ({ ...record, receivedAt: record.knownAt })))
    }
    return { pipeline, expectedCount: minuteCount * contract.prediction.schedule.length }
  } finally {
    await runner.close()
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
