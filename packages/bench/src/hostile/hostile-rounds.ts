import { setTimeout } from 'node:timers/promises'
import type { GrpcModelRunner } from '@crunch/coordinator-node/internal'
import { isGood } from './hostile-models.ts'

const call = {
  method: 'predict',
  arguments: [
    { type: 'STRING', value: 'BTCUSDT' },
    { type: 'INT', value: 300 },
    { type: 'INT', value: 60 },
  ],
} as const

const warmUpTimeoutMs = 30_000
/** Number of concurrent calls that a model's queue holds without loss. */
const callsAtOnce = 20

/** Makes a number of calls to every model as fast as possible. Throws when one is not answered. */
export async function warmUpModels(runner: GrpcModelRunner, callCount: number): Promise<void> {
  const calls = Array.from({ length: callsAtOnce }, () => call)
  for (let done = 0; done < callCount; done += callsAtOnce) {
    for (const { modelId, answers } of await runner.dispatch(calls, warmUpTimeoutMs)) {
      const missing = answers.find((answer) => answer.status !== 'answered')
      if (missing) throw new Error(`${modelId} does not answer while it warms up: ${missing.reason}`)
    }
  }
}

/** Results of the good models. */
export interface GoodAnswers {
  readonly roundCount: number
  /** Duration of each answer, in milliseconds. */
  readonly durationsMs: readonly number[]
  /** Model and reason of each missing answer. */
  readonly missing: readonly string[]
}

/** Calls all models at a fixed rate, independent of earlier rounds, until `isOver` is true. */
export async function runHostileRounds(
  runner: GrpcModelRunner,
  options: {
    readonly goodCount: number
    readonly everyMs: number
    readonly timeoutMs: number
    readonly isOver: (roundCount: number) => boolean | Promise<boolean>
  },
): Promise<GoodAnswers> {
  const { goodCount, everyMs, timeoutMs, isOver } = options
  const durationsMs: number[] = []
  const missing: string[] = []
  const rounds: Promise<void>[] = []
  async function ask(): Promise<void> {
    const all = (await runner.dispatch([call], timeoutMs)).filter(({ modelId }) => isGood(modelId))
    if (all.length !== goodCount) missing.push(`${goodCount - all.length} were not connected`)
    for (const { modelId, answers } of all) {
      const [answer] = answers
      if (answer?.status === 'answered') durationsMs.push(answer.durationMs)
      else missing.push(`${modelId} ${answer?.reason}`)
    }
  }
  const startedAt = performance.now()
  while (!(await isOver(rounds.length))) {
    rounds.push(ask())
    const nextAt = startedAt + rounds.length * everyMs
    await setTimeout(Math.max(0, nextAt - performance.now()))
  }
  await Promise.all(rounds)
  return { roundCount: rounds.length, durationsMs, missing }
}
