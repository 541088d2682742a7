import { setTimeout } from 'node:timers/promises'
import {
  connectModelRunner,
  type GrpcModelRunner,
  openPostgresStore,
  type Store,
} from '@crunch/coordinator-node/internal'
import { createPipeline, type Log, wallClock, withPlainClient } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { median } from '../percentile.ts'
import { startChild } from '../processes/child-process.ts'
import { requireOpenFiles } from '../processes/open-files.ts'
import { portOf } from './fan-out.ts'
import { gridMs, scope, tickContract } from './tick-contract.ts'

const modelCounts = [1, 10, 100, 1_000] as const
const warmUpCount = 20
const measuredCount = 40
/** No model may be given up because the machine is busy. */
const timeoutMs = 30_000

const contract = { ...tickContract, prediction: { ...tickContract.prediction, timeout: '30s' as const } }

/** The calls of one round. */
const calls = [
  {
    method: 'tick',
    arguments: [
      { type: 'JSON', value: { subject: scope.subject, closes: Array.from({ length: 12 }, (_, at) => 60_000 + at) } },
    ],
  },
  {
    method: 'predict',
    arguments: [
      { type: 'STRING', value: scope.subject },
      { type: 'INT', value: 60 },
      { type: 'INT', value: 1 },
    ],
  },
] as const

/**
 * Time from a record until its predictions are stored, compared with the least possible time: one call of `tick` and one of
 * `predict` to the same models over the same connections, and one commit. Both are measured in turns.
 */
export async function roundFloor(databaseUrl: string, log: Log): Promise<Figures> {
  requireOpenFiles(Math.max(...modelCounts) * 2 + 300)
  const ending = new AbortController()
  const models = await startChild({
    module: new URL('../processes/fan-out-models-process.ts', import.meta.url),
    input: { counts: [...modelCounts] },
    signal: ending.signal,
  })
  const store = await openPostgresStore({ url: databaseUrl })
  try {
    const figures: Record<string, number> = {}
    for (const count of modelCounts) {
      const runner = await connect(portOf(models, count), count, log)
      try {
        const { round, floor } = await measure({ databaseUrl, store, runner, log })
        figures[`round${count}`] = round
        figures[`ratio${count}`] = round / floor
      } finally {
        await runner.close()
      }
    }
    return figures
  } finally {
    await store.close()
    ending.abort()
    await models.stop()
  }
}

async function connect(port: number, count: number, log: Log): Promise<GrpcModelRunner> {
  const options = { host: '127.0.0.1', port, crunchId: 'bench', baseClassName: 'tracker.TrackerBase', log }
  const runner = await connectModelRunner(options)
  await runner.settled()
  if (runner.models().length !== count) throw new Error(`${runner.models().length} of ${count} models are connected`)
  return runner
}

interface Measured {
  readonly databaseUrl: string
  readonly store: Store
  readonly runner: GrpcModelRunner
  readonly log: Log
}

/** Medians, in milliseconds. */
async function measure({ databaseUrl, store: opened, runner, log }: Measured) {
  const modelCount = runner.models().length
  let durableAt = Number.NaN
  const store: Store = {
    ...opened,
    async recordAnswers(...call) {
      const written = await opened.recordAnswers(...call)
      durableAt = performance.now()
      const other = call[2].find(({ status, modelId }) => status !== 'PENDING' && Number(modelId) <= modelCount)
      if (other !== undefined) throw new Error(`model ${other.modelId} is ${other.status}: ${other.detail}`)
      return written
    },
  }
  const pipeline = createPipeline(contract, { store, clock: wallClock, log })
  await pipeline.openPredictor(runner)
  return withPlainClient(databaseUrl, async ({ sql }) => {
    await sql.unsafe('create table bench_floor (at int8)')
    const rounds: number[] = []
    const floors: number[] = []
    for (let count = 0; count < warmUpCount + measuredCount; count += 1) {
      const floorFrom = performance.now()
      await runner.dispatch(calls, timeoutMs)
      await sql.unsafe('insert into bench_floor values (1)')
      const floor = performance.now() - floorFrom
      const eventAt = await nextInstant()
      const values = { price: 60_000 + (count % 97) * 1.25 }
      const from = performance.now()
      await pipeline.accept([{ ...scope, eventAt, knownAt: eventAt, receivedAt: Date.now(), values }])
      if (!(durableAt > from)) throw new Error('a record opened no round')
      if (count < warmUpCount) continue
      floors.push(floor)
      rounds.push(durableAt - from)
    }
    await sql.unsafe('drop table bench_floor')
    return { round: median(rounds), floor: median(floors) }
  })
}

async function nextInstant(): Promise<number> {
  const at = (Math.floor(Date.now() / gridMs) + 1) * gridMs
  while (Date.now() < at) await setTimeout(at - Date.now())
  return at
}
