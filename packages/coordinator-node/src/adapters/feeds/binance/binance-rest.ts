import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { getText, type HttpAnswer } from '../http/get-text.ts'
import { excerpt, parseAnswer } from '../http/read-answer.ts'
import type { ResolvedBinanceOptions } from './binance-options.ts'
import { type Asked, explainRefusal } from './explain-refusal.ts'

export interface RestRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string | number>>
  /** Weight of the request, counted against the limit per IP address and minute. */
  readonly weight: number
  readonly asked?: Omit<Asked, 'site'>
  /** Size limit of the answer, for long ones. */
  readonly maxBytes?: number
  readonly signal: AbortSignal
}

export interface RestAnswer<Data> {
  readonly data: Data
  /** The server's time, to the second; our clock where the answer has none. */
  readonly serverAt: Instant
}

/** The requests of one source, which share the weight limit and bans of its IP address. */
export interface BinanceRest {
  /**
   * Returns the result of `parse`, which throws a `TypeError` for an undocumented shape. Waits while the weight of this
   * minute is used up; rejects at once while Binance has banned this address.
   */
  get<Data>(request: RestRequest, parse: (body: unknown) => Data): Promise<RestAnswer<Data>>
  /** Sets the weight limit per minute that Binance reports. */
  limitWeight(weightPerMinute: number): void
}

/** What readers of Binance need. */
export interface BinancePorts {
  readonly options: ResolvedBinanceOptions
  readonly rest: BinanceRest
}

const minuteMs = 60_000
/** The rest is left to other programs at this IP address. */
const ownShare = 0.9

export function createBinanceRest(options: ResolvedBinanceOptions): BinanceRest {
  return new WeightedRest(options)
}

class WeightedRest implements BinanceRest {
  readonly #options: ResolvedBinanceOptions
  #weightPerMinute: number
  /** Weight used in the minute `#usedMinute` of the server. */
  #usedWeight = 0
  #usedMinute = 0
  /** How far the server's clock is ahead of ours, in ms. */
  #aheadMs = 0
  #quietUntil: Instant = 0
  #quietBecause = ''

  constructor(options: ResolvedBinanceOptions) {
    this.#options = options
    this.#weightPerMinute = options.weightPerMinute
  }

  limitWeight(weightPerMinute: number): void {
    this.#weightPerMinute = weightPerMinute
  }

  async get<Data>(request: RestRequest, parse: (body: unknown) => Data): Promise<RestAnswer<Data>> {
    const { path, query, asked, maxBytes, signal } = request
    await this.#takeWeight(request)
    const url = new URL(`${this.#options.restUrl}${path}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
    const answer = await getText({ url, signal, timeoutMs: this.#options.timeoutMs, ...(maxBytes && { maxBytes }) })
    const serverAt = this.#learn(answer)
    if (answer.status !== 200) throw this.#refuse(answer, { ...asked, site: this.#options.site })
    return { data: readBody(answer, parse), serverAt }
  }

  async #takeWeight({ weight, signal }: RestRequest): Promise<void> {
    this.#requireWelcome()
    for (;;) {
      const serverAt = this.#options.now() + this.#aheadMs
      const minute = Math.floor(serverAt / minuteMs)
      if (minute !== this.#usedMinute) this.#use(minute, 0)
      if (this.#usedWeight === 0 || this.#usedWeight + weight <= this.#weightPerMinute * ownShare) break
      // One second more, because the server's clock is known only to the second.
      await this.#options.wait((minute + 1) * minuteMs - serverAt + 1_000, signal)
      signal.throwIfAborted()
      this.#requireWelcome()
    }
    this.#usedWeight += weight
  }

  /** Requests during a ban extend it. */
  #requireWelcome(): void {
    const retryAfterMs = this.#quietUntil - this.#options.now()
    if (retryAfterMs <= 0) return
    const message = `${this.#quietBecause}; ${Math.ceil(retryAfterMs / 1_000)} s remain`
    throw new FeedInterrupted(message, { retryAfterMs })
  }

  #learn({ headers }: HttpAnswer): Instant {
    const now = this.#options.now()
    const saidAt = Date.parse(headers.get('date') ?? '')
    const serverAt = Number.isNaN(saidAt) ? now : saidAt
    this.#aheadMs = serverAt - now
    const used = Number(headers.get('x-mbx-used-weight-1m') ?? Number.NaN)
    const minute = Math.floor(serverAt / minuteMs)
    if (Number.isFinite(used)) this.#use(minute, minute === this.#usedMinute ? Math.max(used, this.#usedWeight) : used)
    return serverAt
  }

  #use(minute: number, weight: number): void {
    this.#usedMinute = minute
    this.#usedWeight = weight
  }

  #refuse(answer: HttpAnswer, asked: Asked) {
    const now = this.#options.now()
    const error = explainRefusal(answer, asked, now)
    if (error instanceof FeedInterrupted && error.retryAfterMs !== null) {
      this.#quietUntil = now + error.retryAfterMs
      this.#quietBecause = error.message
    }
    return error
  }
}

function readBody<Data>(answer: HttpAnswer, parse: (body: unknown) => Data): Data {
  const body = parseAnswer(answer)
  try {
    return parse(body)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const problem = `${answer.place} answered ${excerpt(answer.body)}, which does not match its documentation: ${error.message}`
    throw new FeedInterrupted(`${problem}; retrying`, { cause: error })
  }
}
