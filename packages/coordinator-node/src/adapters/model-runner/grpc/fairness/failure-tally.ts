import type { FailureCode } from '@crunch/model-protocol'
import { isRefusal, type ModelAnswer } from '../../../../ports/model-runner.ts'

/** One late answer may be chance; from the second on, the model is called less often. */
const COOL_DOWN_FROM = 2
const MAX_SKIPS = 50
/** Longest cool-down: after this time one dispatch is sent again, so that a recovered model is noticed. */
const MAX_PAUSE_MS = 60_000
/** A model is given up for silence only after this many dispatches, however long the silence. */
const SILENT_DISPATCHES = 10
/** After so many new connections without an answer, time-outs count regardless of the health service. */
const MAX_RECONNECTS = 3

export interface Verdict {
  readonly code: FailureCode
  /** Shown to the participant. */
  readonly reason: string
}

/** The outcome of one call to the model. */
export interface CallRecord {
  readonly method: string
  readonly answer: ModelAnswer
}

/** What the caller must do after a dispatch. */
export type TallyStep =
  | { readonly kind: 'go-on' }
  /** Ask the runner's health service and pass the result to `recordHealth`. */
  | { readonly kind: 'check-health' }
  /** Reconnect; nothing was counted. */
  | { readonly kind: 'reconnect'; readonly reason: string }
  /** Stop calling the model and report it. */
  | { readonly kind: 'give-up'; readonly verdict: Verdict }

export const goOn: TallyStep = { kind: 'go-on' }

export interface FailureTally {
  /** Call once before each dispatch. True: skip the model this time; then record nothing else of the dispatch. */
  skip(methods: readonly string[]): TallyStep | undefined
  /** Records the answers of one dispatch, in the order of its calls. */
  record(calls: readonly CallRecord[]): TallyStep
  recordHealth(isServing: boolean): TallyStep
  /**
   * The judgement of a recorded answer or refusal: `null` if it was accepted, otherwise what is wrong with it.
   */
  recordJudgement(method: string, problem: string | null): TallyStep
}

export interface TallyLimits {
  /** Consecutive failing calls that are tolerated; 0 means no limit. */
  readonly failureLimit: number
  /** Consecutive dispatches without an answer in time, or without a connection, that are tolerated; 0 means no limit. */
  readonly timeoutLimit: number
  /** A model silent for this long, over at least 10 dispatches, is given up earlier; 0 means no limit. */
  readonly silenceLimitMs: number
  /** Milliseconds since any fixed origin. */
  readonly now?: () => number
}

interface MethodCounts {
  failures: number
  /** Consecutive answers that were not accepted. */
  rejections: number
  timeouts: number
  /** Time-outs of calls that were actually awaited; "busy" replies arrive at once and cost no waiting. */
  waits: number
  /** When the first of the consecutive time-outs happened. */
  lateSince: number
  skipsLeft: number
  /** The last dispatch was not skipped. */
  hasProbed: boolean
  probedAt: number
  lastTimeout: ModelAnswer | undefined
}

/** The call that is counted after the health check. */
type Pending =
  | { readonly kind: 'timeout'; readonly method: string; readonly answer: ModelAnswer }
  | { readonly kind: 'absence'; readonly method: string; readonly answer: ModelAnswer }

/**
 * Counts consecutive faults as deployed coordinators do: failures and time-outs separately; only a success resets both;
 * exceeding the limit gives the model up; a skipped dispatch counts as timed out. It differs in four ways, so that a
 * model which never answers is detected in bounded time and one that recovers is noticed soon:
 * - each method has its own counters: a successful `tick` does not reset a failing `predict`;
 * - answers that violate the schema have a counter of their own, with the limit of failures;
 * - only the first time-out of a dispatch counts, because it uses up the time of all later calls;
 * - pauses last at most a minute, and a model that was silent for `silenceLimitMs` over 10 dispatches is given up before
 *   its time-outs reach the limit.
 *
 * With the default limits (100; 30 minutes) a model that always hangs is given up after 101 dispatches or 30 minutes, whichever comes
 * first: with one dispatch per second within 3 minutes (time-out 10 s) or 15 minutes (time-out 60 s); with one per minute after 30 minutes.
 */
export function createFailureTally(limits: TallyLimits): FailureTally {
  return new Tally(limits)
}

class Tally implements FailureTally {
  readonly #limits: TallyLimits
  readonly #now: () => number
  readonly #methods = new Map<string, MethodCounts>()
  readonly #checkEvery: number
  #absences = 0
  #reconnects = 0
  #pending: Pending | undefined

  constructor(limits: TallyLimits) {
    this.#limits = limits
    this.#now = limits.now ?? (() => performance.now())
    this.#checkEvery = Math.max(1, Math.floor(limits.timeoutLimit * 0.2))
  }

  skip(methods: readonly string[]): TallyStep | undefined {
    let method = methods[0]
    for (const other of methods) if (this.#of(other).waits > this.#of(method!).waits) method = other
    if (method === undefined) return undefined
    const counts = this.#of(method)
    if (!this.#isPausing(counts)) {
      for (const each of methods) Object.assign(this.#of(each), { hasProbed: true, skipsLeft: 0 })
      return undefined
    }
    return counts.lastTimeout === undefined ? goOn : this.#take({ kind: 'timeout', method, answer: counts.lastTimeout })
  }

  record(calls: readonly CallRecord[]): TallyStep {
    const missing = calls.find(({ answer }) => isMissing(answer))
    for (const { method } of calls) this.#of(method).probedAt = this.#now()
    for (const { method, answer } of calls) this.#countAnswer(method, answer, missing)
    const verdict = this.#judgeFailures(calls)
    if (verdict !== undefined) return { kind: 'give-up', verdict }
    if (missing?.answer.status !== 'absent') return goOn
    return this.#take({ kind: missing.answer.reason === 'not_running' ? 'absence' : 'timeout', ...missing })
  }

  recordHealth(isServing: boolean): TallyStep {
    const pending = this.#pending
    this.#pending = undefined
    if (pending === undefined) return goOn
    if (isServing) return this.#count(pending)
    this.#reconnects += 1
    return { kind: 'reconnect', reason: `after ${describe(pending)} the runner does not report that it is serving` }
  }

  recordJudgement(method: string, problem: string | null): TallyStep {
    const counts = this.#of(method)
    counts.rejections = problem === null ? 0 : counts.rejections + 1
    if (!isOver(counts.rejections, this.#limits.failureLimit)) return goOn
    const times = `${counts.rejections} times in a row`
    const reason = `${method} returned an unusable answer ${times}, the last time ${problem}`
    return { kind: 'give-up', verdict: { code: 'MULTIPLE_FAILED', reason } }
  }

  #isPausing(counts: MethodCounts): boolean {
    if (counts.waits < COOL_DOWN_FROM || this.#now() - counts.probedAt >= MAX_PAUSE_MS) return false
    if (counts.skipsLeft > 0) {
      counts.skipsLeft -= 1
      return true
    }
    if (!counts.hasProbed) return false
    counts.hasProbed = false
    counts.skipsLeft = Math.min(Math.ceil(counts.waits / 2), MAX_SKIPS) - 1
    return true
  }

  #countAnswer(method: string, answer: ModelAnswer, missing: CallRecord | undefined): void {
    const counts = this.#of(method)
    if (answer.status !== 'absent') this.#absences = 0
    // If all models refuse a call, the call is at fault. That is judged when all have answered, not counted here.
    if (answer.status === 'failed' && answer.blame === 'model' && !isRefusal(answer)) counts.failures += 1
    if (answer.status !== 'answered') return
    counts.failures = 0
    this.#reconnects = 0
    if (missing?.method === method) return
    counts.timeouts = 0
    counts.waits = 0
  }

  #judgeFailures(calls: readonly CallRecord[]): Verdict | undefined {
    for (const { method, answer } of calls) {
      if (answer.status === 'failed' && answer.reason === 'bad_implementation') {
        return { code: 'BAD_IMPLEMENTATION', reason: `${method} ended with ${errorOf(answer)}` }
      }
      if (answer.status === 'absent' && answer.reason === 'unauthenticated' && answer.blame === 'model') {
        return { code: 'CONNECTION_FAILED', reason: `${method} ended with ${errorOf(answer)}` }
      }
    }
    const last = calls.findLast(({ method, answer }) => answer.status === 'failed' && this.#hasFailedTooOften(method))
    if (last === undefined) return undefined
    const { failures } = this.#of(last.method)
    const reason = `${last.method} failed ${failures} times in a row, the last time with ${errorOf(last.answer)}`
    return { code: 'MULTIPLE_FAILED', reason }
  }

  #hasFailedTooOften(method: string): boolean {
    return isOver(this.#of(method).failures, this.#limits.failureLimit)
  }

  #take(pending: Pending): TallyStep {
    const before = pending.kind === 'absence' ? this.#absences : this.#of(pending.method).timeouts
    if (before > 0 && before % this.#checkEvery === 0 && this.#reconnects < MAX_RECONNECTS) {
      this.#pending = pending
      return { kind: 'check-health' }
    }
    return this.#count(pending)
  }

  #count(pending: Pending): TallyStep {
    const verdict = pending.kind === 'absence' ? this.#countAbsence(pending) : this.#countTimeout(pending)
    return verdict === undefined ? goOn : { kind: 'give-up', verdict }
  }

  #countAbsence(pending: Pending): Verdict | undefined {
    this.#absences += 1
    if (!isOver(this.#absences, this.#limits.timeoutLimit)) return undefined
    const reason = `no connection ${this.#absences} times in a row; the last call was ${describe(pending)}`
    return { code: 'CONNECTION_FAILED', reason }
  }

  #countTimeout(pending: Pending): Verdict | undefined {
    const { timeoutLimit, silenceLimitMs } = this.#limits
    const counts = this.#of(pending.method)
    if (counts.timeouts === 0) counts.lateSince = this.#now()
    counts.timeouts += 1
    if (pending.answer.status === 'absent' && pending.answer.reason === 'timeout') counts.waits += 1
    counts.lastTimeout = pending.answer
    const silentMs = this.#now() - counts.lateSince
    const isSilent = silenceLimitMs > 0 && silentMs >= silenceLimitMs && counts.timeouts >= SILENT_DISPATCHES
    if (timeoutLimit === 0 || !(isSilent || isOver(counts.timeouts, timeoutLimit))) return undefined
    const times = `${counts.timeouts} times in a row, over ${Math.round(silentMs / 1_000)} s`
    return {
      code: 'MULTIPLE_TIMEOUT',
      reason: `no answer in time ${times}; the last call was ${describe(pending)}`,
    }
  }

  #of(method: string): MethodCounts {
    let counts = this.#methods.get(method)
    if (counts === undefined) {
      counts = {
        failures: 0,
        rejections: 0,
        timeouts: 0,
        waits: 0,
        lateSince: 0,
        skipsLeft: 0,
        hasProbed: false,
        probedAt: 0,
        lastTimeout: undefined,
      }
      this.#methods.set(method, counts)
    }
    return counts
  }
}

/** Absences that the coordinator is to blame for do not count. */
function isMissing(answer: ModelAnswer): boolean {
  return (
    answer.status === 'absent' &&
    answer.blame === 'model' &&
    (answer.reason === 'timeout' || answer.reason === 'busy' || answer.reason === 'not_running')
  )
}

function isOver(count: number, limit: number): boolean {
  return limit > 0 && count > limit
}

function describe({ method, answer }: Pending): string {
  return `${method} (${errorOf(answer)})`
}

function errorOf(answer: ModelAnswer): string {
  return answer.status === 'answered' ? 'an answer' : `${answer.reason}: ${answer.detail}`
}
