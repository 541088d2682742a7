import type { NodeProgress } from './pipeline-progress.ts'
import type { StandingRefusal } from './refusal.ts'
import type { Stoppage } from './stoppage.ts'

const texts: Readonly<Record<StandingRefusal['what'], (counted: string, schedule: string) => string>> = {
  inputs: (counted, schedule) => `${counted} inputs of ${schedule} could not be built, so no round opens`,
  truths: (counted, schedule) => `${counted} rounds of ${schedule} have no truth`,
  scores: (counted, schedule) => `${counted} scores of ${schedule} failed`,
}

/** Finds current refusals of the contract, despite which rounds, leaderboards and checkpoints may continue. */
export function refusals({ refusals: standing }: Pick<NodeProgress, 'refusals'>): Stoppage[] {
  return standing.map(({ what, scheduleKey, count, of, since, reason }) => ({
    stage: what === 'inputs' ? 'prediction' : 'score',
    key: `${what} ${scheduleKey}`,
    what: texts[what](of === null ? `${count}` : `${count} of ${of}`, `"${scheduleKey}"`),
    since,
    heldUpBy: reason,
    fix: `correct the contract, try it with crunch check, then run ${restart[what]}`,
    graceMs: 0,
    dataGraceMs: 0,
  }))
}

const restart: Readonly<Record<StandingRefusal['what'], string>> = {
  inputs: 'crunch restart predict',
  truths: 'crunch restart score',
  scores: 'crunch restart score',
}
