import type { ModelIdentity } from '../../../domain/models/model.ts'
import type { ModelAnswer } from '../../../ports/model-runner.ts'
import type { DispatchExpiry } from '../dispatch-expiry.ts'
import { busyAnswer, describeThrown, failedAnswer, queueFullAnswer, timeoutAnswer } from '../model-answers.ts'
import { deliverResult } from './deliver-result.ts'
import type { PreparedCall } from './prepared-call.ts'

export type Answers = readonly ModelAnswer[]

/** As over the wire. */
const QUEUE_LIMIT = 64

interface Job {
  readonly calls: readonly PreparedCall[]
  readonly expiry: DispatchExpiry
  readonly answers: ModelAnswer[]
}

interface RunningCall {
  readonly result: PromiseLike<unknown>
  readonly startedAt: number
}

/** One object, called like a remote model: one call at a time, in order. */
export class InProcessModel {
  readonly identity: ModelIdentity
  readonly #model: object
  /** Settles with the newest dispatch; absent while nothing runs, so that synchronous models need no promises. */
  #newest: Promise<unknown> | undefined
  #waiting = 0
  /** Whether a call has timed out whose method has not returned. */
  #occupied = false

  constructor(identity: ModelIdentity, model: object) {
    this.identity = identity
    this.#model = model
  }

  /** Returns synchronously when every method does. */
  run(calls: readonly PreparedCall[], expiry: DispatchExpiry): Answers | Promise<Answers> {
    const job: Job = { calls, expiry, answers: [] }
    if (this.#newest !== undefined) return this.#enqueue(job, this.#newest)
    const running = this.#advance(job)
    return running === undefined ? job.answers : this.#follow(this.#finish(job, running))
  }

  #enqueue(job: Job, previous: Promise<unknown>): Answers | Promise<Answers> {
    if (this.#waiting >= QUEUE_LIMIT) return job.calls.map(() => queueFullAnswer(QUEUE_LIMIT))
    this.#waiting += 1
    let waits = true
    const inTurn = previous.then(() => {
      waits = false
      this.#waiting -= 1
      const running = this.#advance(job)
      return running === undefined ? job.answers : this.#finish(job, running)
    })
    this.#follow(inTurn)
    const { expiry, calls } = job
    const givenUp = expiry
      .whenExpired()
      .then(() => (waits ? calls.map(() => timeoutAnswer(expiry.timeoutMs, null)) : inTurn))
    return Promise.race([inTurn, givenUp])
  }

  #follow(work: Promise<Answers>): Promise<Answers> {
    this.#newest = work
    const forget = () => {
      if (this.#newest === work) this.#newest = undefined
    }
    void work.then(forget, forget)
    return work
  }

  async #finish(job: Job, first: RunningCall): Promise<Answers> {
    for (let running: RunningCall | undefined = first; running !== undefined; running = this.#advance(job)) {
      job.answers.push(await this.#settle(running, job.expiry))
    }
    return job.answers
  }

  /** Makes calls until one returns a promise. */
  #advance(job: Job): RunningCall | undefined {
    while (job.answers.length < job.calls.length) {
      const next = this.#call(job.calls[job.answers.length]!, job.expiry)
      if ('result' in next) return next
      job.answers.push(next)
    }
    return undefined
  }

  #call(call: PreparedCall, expiry: DispatchExpiry): ModelAnswer | RunningCall {
    if (expiry.hasExpired()) return timeoutAnswer(expiry.timeoutMs, null)
    if (this.#occupied) return busyAnswer(0)
    const startedAt = performance.now()
    try {
      const method = this.#findMember(call.method)
      if (method === undefined) return this.#missingMethod(call.method)
      if (typeof method !== 'function') throw new TypeError(`"${call.method}" is not a method`)
      const result: unknown = Reflect.apply(method, this.#model, call.readArguments())
      if (isPromise(result)) return { result, startedAt }
      return { status: 'answered', output: deliverResult(result), durationMs: performance.now() - startedAt }
    } catch (thrown) {
      return modelError(thrown, performance.now() - startedAt)
    }
  }

  async #settle({ result, startedAt }: RunningCall, expiry: DispatchExpiry): Promise<ModelAnswer> {
    this.#occupied = true
    const answer = Promise.resolve(result).then(
      (value) => deliver(value, startedAt),
      (thrown) => modelError(thrown, performance.now() - startedAt),
    )
    const released = answer.finally(() => {
      this.#occupied = false
    })
    const inTime = await Promise.race([released, expiry.whenExpired()])
    return inTime ?? timeoutAnswer(expiry.timeoutMs, performance.now() - startedAt)
  }

  /** Finds any own or inherited member, except those of `Object.prototype`. */
  #findMember(name: string): unknown {
    if (name === 'constructor') return undefined
    const member: unknown = Reflect.get(this.#model, name)
    return member === Reflect.get(Object.prototype, name) ? undefined : member
  }

  #missingMethod(method: string): ModelAnswer {
    const detail = `Method "${method}" not found in class "${this.#model.constructor?.name ?? 'Object'}"`
    return failedAnswer({ reason: 'bad_implementation', blame: 'model', detail, durationMs: 0 })
  }
}

function deliver(result: unknown, startedAt: number): ModelAnswer {
  try {
    return { status: 'answered', output: deliverResult(result), durationMs: performance.now() - startedAt }
  } catch (thrown) {
    return modelError(thrown, performance.now() - startedAt)
  }
}

function modelError(thrown: unknown, durationMs: number): ModelAnswer {
  return failedAnswer({ reason: 'model_error', blame: 'model', detail: describeThrown(thrown), durationMs })
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
