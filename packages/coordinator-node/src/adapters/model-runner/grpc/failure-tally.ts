import type { FailureCode } from '@crunch/model-protocol'
import type { ModelAnswer } from '../../../ports/model-runner.ts'

/** A skipped dispatch is cheap, but a model that has recovered must be noticed. */
const MAX_SKIPS = 50

/** One late answer is an accident; from the next on, a model is called less often. */
const COOL_DOWN_FROM = 2

export interface Verdict {
  readonly code: FailureCode
  /** Shown to the participant. */
  readonly reason: string
}

export interface FailureTally {
  /** Asked once before each dispatch: whether the model is to be left alone this time. */
  shouldSkip(): boolean
  /** Takes the answers of one dispatch; a verdict means that the model is not worth calling any more. */
  record(answers: readonly ModelAnswer[]): Verdict | undefined
}

/**
 * Counts what goes wrong in a row. Failures are counted by call, as deployed coordinators do; time-outs by dispatch,
 * because the first one in a dispatch takes the time of all its calls. A skipped dispatch counts as timed out, so that a
 * model which never answers is given up after the same number of dispatches, at a fraction of the calls.
 */
export function createFailureTally(limits: {
  readonly failureLimit: number
  readonly timeoutLimit: number
}): FailureTally {
  let failures = 0
  let timeouts = 0
  /** Time-outs that somebody waited for: a busy model says so at once, and may be asked as often as one likes. */
  let waits = 0
  let absences = 0
  let skipsLeft = 0
  let probing = false

  function shouldSkip(): boolean {
    if (skipsLeft > 0) {
      skipsLeft -= 1
      return true
    }
    if (!probing || waits < COOL_DOWN_FROM) {
      probing = true
      return false
    }
    probing = false
    skipsLeft = Math.min(Math.ceil(waits / 2), MAX_SKIPS) - 1
    return true
  }

  function record(answers: readonly ModelAnswer[]): Verdict | undefined {
    for (const answer of answers) {
      if (answer.status === 'answered') failures = 0
      else if (answer.status === 'failed' && answer.blame === 'model') failures += 1
    }
    const came = answers.some(({ status }) => status !== 'absent')
    const next = (count: number, reasons: readonly string[]) =>
      hasReason(answers, reasons) ? count + 1 : came ? 0 : count
    timeouts = next(timeouts, ['timeout', 'busy'])
    waits = next(waits, ['timeout'])
    absences = next(absences, ['not_running'])
    return judge(answers)
  }

  function judge(answers: readonly ModelAnswer[]): Verdict | undefined {
    const bad = answers.find((answer) => answer.status === 'failed' && answer.reason === 'bad_implementation')
    if (bad?.status === 'failed') return { code: 'BAD_IMPLEMENTATION', reason: bad.detail }
    if (isOver(failures, limits.failureLimit)) {
      return { code: 'MULTIPLE_FAILED', reason: `${failures} calls in a row failed: ${lastDetail(answers)}` }
    }
    if (isOver(timeouts, limits.timeoutLimit)) {
      return { code: 'MULTIPLE_TIMEOUT', reason: `${timeouts} times in a row there was no answer in time` }
    }
    if (isOver(absences, limits.timeoutLimit)) {
      return { code: 'CONNECTION_FAILED', reason: `${absences} times in a row there was no connection to the model` }
    }
    return undefined
  }

  return { shouldSkip, record }
}

function isOver(count: number, limit: number): boolean {
  return limit > 0 && count > limit
}

/** Absences that are our own fault do not count. */
function hasReason(answers: readonly ModelAnswer[], reasons: readonly string[]): boolean {
  return answers.some(
    (answer) => answer.status === 'absent' && answer.blame === 'model' && reasons.includes(answer.reason),
  )
}

function lastDetail(answers: readonly ModelAnswer[]): string {
  const last = answers.findLast((answer) => answer.status === 'failed')
  return last?.status === 'failed' ? last.detail : ''
}
