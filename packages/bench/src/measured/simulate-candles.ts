import { contractRecording } from '@crunch/coordinator-node/internal'
import { simulate } from '@crunch/coordinator-node/testing'
import realtime from '../../../../templates/node/contract.ts'
import type { Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { candleCount } from './candle-recording.ts'
import { exampleModels } from './example-models.ts'

/** Speed of a simulation, including reading the file. */
export async function simulateCandles(recording: string, log: Log): Promise<Figures> {
  const source = contractRecording(realtime, [recording], log)
  const models = exampleModels(5)
  const startedAt = performance.now()
  const { counts } = await simulate({ contract: realtime, source, models, log })
  const lengthMs = performance.now() - startedAt
  if (counts.records !== candleCount || counts.predictions !== candleCount * models.length) {
    throw new Error(`${counts.records} records gave ${counts.predictions} predictions of ${models.length} models`)
  }
  return { total: lengthMs / 1_000, roundsPerSecond: counts.rounds / (lengthMs / 1_000) }
}
