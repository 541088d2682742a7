import type { EventSourceMessage } from 'eventsource-parser'
import { CrunchError } from '../../../domain/errors.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { openEventStream } from '../http/event-stream.ts'
import { getText, type HttpAnswer } from '../http/get-text.ts'
import { excerpt, refusal } from '../http/read-answer.ts'
import { createRequestBudget } from '../http/request-budget.ts'

export interface PythClientOptions {
  readonly apiKey: string | undefined
  readonly requestsPer10Seconds: number
  readonly silenceMs?: number | undefined
  readonly now: () => Instant
}

/** Sends requests to Pyth with the key and within the rate limit. */
export interface PythClient {
  /** Resolves for every HTTP status. */
  ask(url: URL, signal: AbortSignal): Promise<HttpAnswer>
  /** Explains an answer other than 200. */
  refusal(answer: HttpAnswer): CrunchError
  events(url: URL, signal: AbortSignal, onOpen?: () => void): AsyncIterable<readonly EventSourceMessage[]>
}

const windowMs = 10_000
/** How long Pyth refuses all requests after the limit was exceeded. */
const bannedMs = 60_000

export function createPythClient(options: PythClientOptions): PythClient {
  const { apiKey, requestsPer10Seconds, silenceMs, now } = options
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  const budget = createRequestBudget(requestsPer10Seconds, windowMs)
  const refuse = (answer: HttpAnswer) => readRefusal(answer, apiKey !== undefined, now())
  return {
    refusal: refuse,
    async ask(url, signal) {
      await budget(signal)
      return getText({ url, headers, signal })
    },
    async *events(url, signal, onOpen) {
      await budget(signal)
      yield* openEventStream({
        ...{ url, headers, signal, refusal: refuse },
        ...(onOpen !== undefined && { onOpen }),
        ...(silenceMs !== undefined && { silenceMs }),
      })
    },
  }
}

function readRefusal(answer: HttpAnswer, hasKey: boolean, now: Instant): CrunchError {
  const { place, status, body } = answer
  const unavailable = (cause: string) => new CrunchError('FEED_UNAVAILABLE', `${place} answered ${status}: ${cause}`)
  if (status === 401 || status === 403) {
    if (!hasKey) return unavailable('Pyth asks for an API key; get one at pyth.network and set PYTH_API_KEY')
    return status === 401
      ? unavailable('it refuses the key in PYTH_API_KEY; set a valid one')
      : unavailable(`the key in PYTH_API_KEY may not read this, ${excerpt(body)}; request access at pyth.network`)
  }
  const unknown = /^Price ids not found: *(.*)$/s.exec(body)?.[1]
  if (status === 404 && unknown !== undefined) {
    return unavailable(`Pyth has no price feed ${unknown.trim()}; remove it from the feed's subjects`)
  }
  const refused = refusal(answer, now)
  if (status !== 429 || refused.retryAfterMs !== null) return refused
  const cause = `${place} answered 429: more requests than Pyth allows; it bans the sender for 60 s`
  return new FeedInterrupted(`${cause}; lower FEED_PYTH_REQUESTS_PER_10_SECONDS`, { retryAfterMs: bannedMs })
}
