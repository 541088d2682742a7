import { connectModelRunner, type GrpcModelRunner } from '@crunch/coordinator-node/internal'
import type { Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { median } from '../percentile.ts'
import { type ServingChild, startChild } from '../processes/child-process.ts'
import { requireOpenFiles } from '../processes/open-files.ts'
import { bindToProcessors } from '../processes/processor.ts'

const manyModels = 1_000
const fewModels = 100
const warmUpCount = 20
const measuredCount = 40
/** No model may be given up because the machine is busy. */
const timeoutMs = 30_000

const call = {
  method: 'predict',
  arguments: [
    { type: 'STRING', value: 'Seattle' },
    { type: 'INT', value: 86_400 },
    { type: 'INT', value: 86_400 },
  ],
} as const

/**
 * Duration of one call to all models until every answer is read, on one core, and of connecting and setting up all models.
 * The models are in another process, on the other cores.
 */
export async function fanOut(log: Log): Promise<Figures> {
  requireOpenFiles(manyModels + 200)
  const ending = new AbortController()
  const models = await startChild({
    module: new URL('../processes/fan-out-models-process.ts', import.meta.url),
    input: { counts: [fewModels, manyModels] },
    signal: ending.signal,
  })
  try {
    if (!bindToProcessors('0')) log.warn('without taskset, the coordinator is not bound to one core')
    const few = await measure(portOf(models, fewModels), fewModels, log)
    const many = await measure(portOf(models, manyModels), manyModels, log)
    return {
      connect: many.connectMs / 1_000,
      fanOutMany: many.fanOutMs,
      fanOutFew: few.fanOutMs,
      growth: many.fanOutMs / few.fanOutMs,
    }
  } finally {
    ending.abort()
    await models.stop()
  }
}

async function measure(port: number, modelCount: number, log: Log) {
  const startedAt = performance.now()
  const runner = await connectModelRunner({
    host: '127.0.0.1',
    port,
    crunchId: 'bench',
    baseClassName: 'tracker.TrackerBase',
    log,
  })
  try {
    await runner.settled()
    const connectMs = performance.now() - startedAt
    const connected = runner.models().length
    if (connected !== modelCount) throw new Error(`${connected} of ${modelCount} models are connected`)
    const durations: number[] = []
    for (let count = 0; count < warmUpCount + measuredCount; count += 1) {
      const durationMs = await askAll(runner, modelCount)
      if (count >= warmUpCount) durations.push(durationMs)
    }
    return { connectMs, fanOutMs: median(durations) }
  } finally {
    await runner.close()
  }
}

async function askAll(runner: GrpcModelRunner, modelCount: number): Promise<number> {
  const startedAt = performance.now()
  const all = await runner.dispatch([call], timeoutMs)
  const durationMs = performance.now() - startedAt
  const answered = all.filter(({ answers }) => answers[0]?.status === 'answered').length
  if (answered !== modelCount) throw new Error(`${answered} of ${modelCount} models answered`)
  return durationMs
}

export function portOf(models: ServingChild, modelCount: number): number {
  const port = models.value[`port${modelCount}`]
  if (typeof port !== 'number') throw new Error(`the process of the models did not report a list of ${modelCount}`)
  return port
}
