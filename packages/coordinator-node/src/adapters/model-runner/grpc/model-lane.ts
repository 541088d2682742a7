import { status } from '@grpc/grpc-js'
import type { AnswerLimits } from '../../../domain/answer-size.ts'
import type { Blame } from '../../../domain/prediction.ts'
import type { ModelAnswer } from '../../../ports/model-runner.ts'
import type { DispatchExpiry } from '../dispatch-expiry.ts'
import {
  absentAnswer,
  noRoomAnswer,
  notRunningAnswer,
  queueFullAnswer,
  stalledAnswer,
  timeoutAnswer,
  unaskedAnswer,
} from '../model-answers.ts'
import { type FailureTally, goOn, type TallyStep, type Verdict } from './fairness/failure-tally.ts'
import { NOT_SET_UP, readResponse, readTransportError } from './fairness/read-outcome.ts'
import type { DispatchAnswers } from './transport/answer-budget.ts'
import type { DispatchTurns } from './transport/call-turns.ts'
import { type LargeAnswers, OWN_TURN_BYTES } from './transport/large-answers.ts'
import type { CallOutcome, ModelChannel, SetupOutcome, TransportError } from './transport/model-channel.ts'

/** A lost connection may take this long to return before the model counts as gone. */
const RECONNECT_GRACE_MS = 1_000

/** Bounds of the time limit for the health check, which otherwise is that of a call. It answers while the model works. */
const MIN_HEALTH_TIMEOUT_MS = 1_000
const MAX_HEALTH_TIMEOUT_MS = 10_000

/** Bytes that are shared by all models. */
export interface EncodedRequest {
  readonly method: string
  readonly frame: Buffer
}

/** The calls of one dispatch. */
export interface EncodedDispatch {
  readonly requests: readonly EncodedRequest[]
  readonly expiry: DispatchExpiry
  /** The memory budget for the answers of the dispatch. */
  readonly room: DispatchAnswers
  readonly turns: DispatchTurns
}

/** The one Setup per dispatch for a runner that has lost its model. */
interface Repair {
  mayBeSetUp: boolean
  problem: string
}

type CallLimits = Pick<EncodedDispatch, 'expiry' | 'room'>

export interface ModelLaneOptions {
  readonly modelId: string
  readonly channel: ModelChannel
  readonly baseClassName: string
  readonly queueLimit: number
  readonly tally: FailureTally
  readonly largeAnswers: LargeAnswers
  readonly answerLimits: AnswerLimits
  /** Who is to blame now if the model is absent. */
  readonly absenceBlame: () => Blame
  readonly onVerdict: (verdict: Verdict) => void
  /** The runner is unhealthy: it must be reconnected. */
  readonly onReconnect: (reason: string) => void
}

type Answers = readonly ModelAnswer[]

interface Job {
  readonly dispatch: EncodedDispatch
  readonly resolve: (answers: Answers) => void
  readonly reject: (error: unknown) => void
}

/** Makes the calls to one model, one at a time and in order. Lanes are independent of each other. */
export class ModelLane {
  readonly #options: ModelLaneOptions
  #waiting: Job[] = []
  #working = false
  #retired = false
  /** Methods whose last answer arrived and was not rejected. */
  readonly #proven = new Set<string>()

  constructor(options: ModelLaneOptions) {
    this.#options = options
  }

  run(dispatch: EncodedDispatch): Promise<Answers> {
    const { queueLimit } = this.#options
    if (this.#retired) return Promise.resolve(this.#gone(dispatch))
    if (this.#waiting.length >= queueLimit && this.#working) {
      return Promise.resolve(dispatch.requests.map(() => queueFullAnswer(queueLimit)))
    }
    return new Promise((resolve, reject) => {
      const job = { dispatch, resolve, reject }
      if (!this.#working) {
        void this.#work(job)
        return
      }
      this.#waiting.push(job)
      void dispatch.expiry.whenExpired().then(() => this.#giveUpWaiting(job))
    })
  }

  /** Records whether an answer was accepted. */
  judge(method: string, problem: string | null): void {
    if (problem !== null) this.#proven.delete(method)
    void this.#act(this.#options.tally.recordJudgement(method, problem), 0)
  }

  /** Lets the current dispatch finish, answers the waiting ones as not running, then closes the connection. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    for (const { dispatch, resolve } of this.#waiting.splice(0)) resolve(this.#gone(dispatch))
    if (!this.#working) this.#options.channel.close()
  }

  /** Also aborts the current dispatch. */
  close(): void {
    this.retire()
    this.#options.channel.close()
  }

  #gone({ requests }: EncodedDispatch): Answers {
    return requests.map(() => notRunningAnswer(this.#options.absenceBlame(), 'the model was stopped or replaced', null))
  }

  #giveUpWaiting(job: Job): void {
    const index = this.#waiting.indexOf(job)
    if (index === -1) return
    this.#waiting.splice(index, 1)
    const { requests, expiry } = job.dispatch
    job.resolve(requests.map(() => lateAnswer(expiry, null)))
  }

  async #work(first: Job): Promise<void> {
    this.#working = true
    for (let job: Job | undefined = first; job !== undefined; job = this.#waiting.shift()) {
      await this.#act(await this.#take(job, job === first), job.dispatch.expiry.timeoutMs)
    }
    this.#working = false
    if (this.#retired) this.#options.channel.close()
  }

  /** A lane that was idle waits for its turn; one that was busy has waited already. */
  async #take({ dispatch, resolve, reject }: Job, wasIdle: boolean): Promise<TallyStep> {
    const { tally } = this.#options
    let leave = () => {}
    const methods = dispatch.requests.map(({ method }) => method)
    try {
      const skipped = tally.skip(methods)
      if (skipped !== undefined) {
        resolve(methods.map(coolDownAnswer))
        return skipped
      }
      if (wasIdle) {
        if (methods.every((method) => this.#proven.has(method))) {
          leave = dispatch.turns.answered
          await dispatch.turns.first()
        } else await dispatch.turns.last()
        const unasked = this.#findUnasked(dispatch)
        if (unasked !== undefined) {
          resolve(unasked)
          return goOn
        }
      }
      const answers = await this.#answer(dispatch)
      for (const method of methods) this.#proven.add(method)
      for (const [index, { status }] of answers.entries())
        if (status !== 'answered') this.#proven.delete(methods[index]!)
      resolve(answers)
      return tally.record(answers.map((answer, index) => ({ method: methods[index]!, answer })))
    } catch (error) {
      reject(error)
      return goOn
    } finally {
      leave()
    }
  }

  /** The answers if it is too late to send the calls. */
  #findUnasked(dispatch: EncodedDispatch): Answers | undefined {
    if (this.#retired) return this.#gone(dispatch)
    const { requests, expiry } = dispatch
    return expiry.remainingMs() > 0 ? undefined : requests.map(() => unaskedAnswer(expiry.timeoutMs))
  }

  /** The dispatch is already answered: only the model's own later dispatches wait for this. */
  async #act(step: TallyStep, timeoutMs: number): Promise<void> {
    if (this.#retired) return
    const { channel, tally, onVerdict, onReconnect } = this.#options
    if (step.kind === 'check-health') {
      const healthTimeoutMs = Math.min(Math.max(timeoutMs, MIN_HEALTH_TIMEOUT_MS), MAX_HEALTH_TIMEOUT_MS)
      const isServing = await channel.isServing(healthTimeoutMs)
      await this.#act(tally.recordHealth(isServing), timeoutMs)
    } else if (step.kind === 'reconnect') onReconnect(step.reason)
    else if (step.kind === 'give-up') onVerdict(step.verdict)
  }

  async #answer({ requests, expiry, room }: EncodedDispatch): Promise<Answers> {
    const answers: ModelAnswer[] = []
    const repair: Repair = { mayBeSetUp: true, problem: '' }
    for (const request of requests) {
      answers.push(
        expiry.isOver() || expiry.hasExpired()
          ? lateAnswer(expiry, null)
          : await this.#call(request.frame, { expiry, room }, repair),
      )
    }
    return answers
  }

  async #call(request: Buffer, limits: CallLimits, repair: Repair): Promise<ModelAnswer> {
    const { expiry } = limits
    const { channel, absenceBlame, baseClassName } = this.#options
    if (!channel.isReady() && !(await this.#comesBack(expiry))) {
      return notRunningAnswer(absenceBlame(), 'there is no connection to the model', null)
    }
    let answer = await this.#ask(request, limits)
    if (answer === NOT_SET_UP && repair.mayBeSetUp) {
      // The process at this address was restarted and has lost the model.
      repair.mayBeSetUp = false
      const setup = await channel.setup(baseClassName, expiry.remainingMs())
      if (expiry.isOver() || expiry.hasExpired()) return lateAnswer(expiry, null)
      repair.problem = setupProblem(setup)
      answer = await this.#ask(request, limits)
    }
    if (answer !== NOT_SET_UP) return answer
    const detail = `the model's runner was restarted, and the model cannot be set up again: ${repair.problem}`
    return notRunningAnswer('model', detail, null)
  }

  async #ask(request: Buffer, { expiry, room }: CallLimits): Promise<ModelAnswer | typeof NOT_SET_UP> {
    const { channel, modelId } = this.#options
    let refused: { readonly blame: Blame; readonly bytes: number } | undefined
    const outcome = await channel.call(request, expiry, (bytes) => {
      const found = room.take(modelId, bytes)
      if (found !== 'taken') refused = { blame: found === 'too-much' ? 'model' : 'coordinator', bytes }
      return found === 'taken'
    })
    if (refused !== undefined && outcome.kind === 'error') {
      return noRoomAnswer(refused.blame, refused.bytes, outcome.durationMs)
    }
    return this.#read(outcome, expiry)
  }

  #comesBack(expiry: DispatchExpiry): Promise<boolean> {
    const timeoutMs = Math.min(RECONNECT_GRACE_MS, expiry.remainingMs())
    return this.#options.channel.whenReady(timeoutMs, { failFast: true })
  }

  async #read(outcome: CallOutcome, expiry: DispatchExpiry): Promise<ModelAnswer | typeof NOT_SET_UP> {
    if (outcome.kind === 'expired') return lateAnswer(expiry, outcome.durationMs)
    if (outcome.kind === 'error') {
      return readTransportError(outcome, expiry.timeoutMs, await this.#lossBlame(outcome, expiry))
    }
    if (outcome.bytes.length > OWN_TURN_BYTES) {
      await this.#options.largeAnswers.turn(outcome.bytes.length)
      if (expiry.hasExpired()) return lateAnswer(expiry, outcome.durationMs)
    }
    const answer = readResponse(outcome.bytes, outcome.durationMs, this.#options.answerLimits)
    if (!(answer instanceof Promise)) return answer
    return Promise.race([answer, expiry.whenExpired().then(() => lateAnswer(expiry, outcome.durationMs))])
  }

  /** A model that closes its connection but accepts the next one is running: closing was its own doing. */
  async #lossBlame({ absence }: TransportError, expiry: DispatchExpiry): Promise<Blame> {
    const blame = this.#options.absenceBlame()
    if (absence !== 'lost' || blame === 'model') return blame
    return (await this.#comesBack(expiry)) ? 'model' : blame
  }
}

/** Time-out, or stall of this process if that may be the cause. */
function lateAnswer(expiry: DispatchExpiry, durationMs: number | null): ModelAnswer {
  return expiry.wasStalled() ? stalledAnswer(expiry.timeoutMs, durationMs) : timeoutAnswer(expiry.timeoutMs, durationMs)
}

function setupProblem(outcome: SetupOutcome): string {
  if (outcome.kind === 'error') return `${status[outcome.code]}: ${outcome.details}`
  const { code = '', message = '' } = outcome.response.status ?? {}
  return `Setup was answered with ${code}: ${message}`
}

function coolDownAnswer(): ModelAnswer {
  const detail = 'not called this time, because the model repeatedly did not answer in time'
  return absentAnswer({ reason: 'timeout', blame: 'model', detail, durationMs: null })
}
