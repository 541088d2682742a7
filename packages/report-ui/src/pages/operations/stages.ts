import { counted, wholeNumber } from '../../format/numbers.ts'
import { duration } from '../../format/times.ts'
import type { Mood } from '../../parts/state-mark.tsx'
import type { Operations } from './operations-data.ts'

type StageRow = Operations['stages'][number]

export interface Stage {
  /** As the API and the log name it. */
  readonly name: string
  readonly mood: Mood
  /** The state in one or two words. */
  readonly word: string
  /** When it last had a result. */
  readonly lastAt: string | null
  /** What it did, what waits for it, and how late it is. */
  readonly facts: readonly { readonly name: string; readonly value: string }[]
}

type Noun = readonly [one: string, many: string]

/** What a stage does, and what waits for it. */
const nouns: Readonly<Record<StageRow['stage'], { readonly done: Noun; readonly waiting?: Noun }>> = {
  feed: { done: ['record', 'records'] },
  input: { done: ['round asked', 'rounds asked'] },
  prediction: {
    done: ['round answered', 'rounds answered'],
    waiting: ['round without answers', 'rounds without answers'],
  },
  score: { done: ['round settled', 'rounds settled'], waiting: ['round to settle', 'rounds to settle'] },
  snapshot: { done: ['period closed', 'periods closed'] },
  leaderboard: { done: ['board', 'boards'] },
  checkpoint: { done: ['payout closed', 'payouts closed'], waiting: ['payout to confirm', 'payouts to confirm'] },
}

/** The stages as they are drawn. Whether one is at fault is the node's judgement. */
export function stagesOf({ stages, problems }: Pick<Operations, 'stages' | 'problems'>): readonly Stage[] {
  return stages.map((row) => {
    const faults = problems.filter(({ stage }) => stage === row.stage).length
    const [mood, word] = stateOf(row, faults)
    return {
      name: row.stage,
      ...{ mood, word },
      lastAt: row.last_at,
      facts: factsOf(row),
    }
  })
}

/** A stage that had nothing to do in the last hour is not said to run. */
function stateOf({ last_at, per_hour }: StageRow, faults: number): readonly [Mood, string] {
  if (faults > 0) return ['fail', counted(faults, 'fault')]
  if (per_hour > 0) return ['ok', 'runs']
  return ['quiet', last_at === null ? 'nothing yet' : 'idle']
}

function factsOf({ stage, per_hour, queue, lag_ms, latency_ms, failures }: StageRow): Stage['facts'] {
  const { done, waiting } = nouns[stage]
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0)
  return [
    { name: 'Last hour', value: counted(per_hour, ...done) },
    ...(queue === null || waiting === undefined ? [] : [{ name: 'Waiting', value: counted(queue, ...waiting) }]),
    ...(lag_ms === null ? [] : [{ name: 'Lag', value: lag_ms === 0 ? 'none' : duration(lag_ms) }]),
    ...(latency_ms === null ? [] : [{ name: 'Answers within', value: `${latencyText(latency_ms.p95)} (95 %)` }]),
    ...(failed === 0 ? [] : [{ name: 'Failed', value: failedText(stage, failed) }]),
  ]
}

function failedText(stage: StageRow['stage'], count: number): string {
  return stage === 'score' ? `${wholeNumber(count)} void` : counted(count, 'answer')
}

/** `12 ms`, `1.3 s` */
export function latencyText(ms: number): string {
  return ms < 1_000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1_000).toPrecision(3))} s`
}
