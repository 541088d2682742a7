import { AsyncLocalStorage } from 'node:async_hooks'
import { CrunchError } from '../../../domain/errors.ts'
import { nearestName } from '../../../domain/nearest-name.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { readBody } from '../http/get-text.ts'
import { excerpt } from '../http/read-answer.ts'

/** The part of a ccxt exchange that is used. ccxt's types are not imported, because the package is optional. */
export interface CcxtExchange {
  readonly has: Readonly<Record<string, unknown>>
  readonly timeframes?: Readonly<Record<string, unknown>>
  readonly symbols: readonly string[]
  loadMarkets(reload?: boolean): Promise<unknown>
  fetchOHLCV(symbol: string, timeframe: string, since: number, limit: number): Promise<readonly (readonly unknown[])[]>
}

/** An exchange whose requests can be aborted. */
export interface OpenedExchange {
  /** Runs requests until the signal aborts them; rejects with an explained error. */
  ask<Answer>(signal: AbortSignal, request: (exchange: CcxtExchange) => Promise<Answer>): Promise<Answer>
}

export interface ExchangeOptions {
  /** ccxt's id of the exchange, e.g. `kraken`. */
  readonly exchange: string
  readonly config: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
}

type ErrorClass = abstract new (...args: never[]) => Error
type CcxtModule = Readonly<Record<string, unknown>>

/** Errors that the operator must fix. All other errors are temporary. */
const lastingErrors = [
  ...['AuthenticationError', 'BadSymbol', 'NotSupported', 'ArgumentsRequired', 'RestrictedLocation'],
  'InvalidProxySettings',
]
/** Size limit of an answer: the market lists of the largest exchanges have some megabytes. */
const maxAnswerBytes = 64 * 1024 * 1024
const limitErrors = ['RateLimitExceeded', 'DDoSProtection']
/** Pause after a rate limit: ccxt does not expose the header that states it. */
const limitedMs = 60_000

/**
 * Opens an exchange of ccxt.
 * Rejects with a `CrunchError` FEED_UNAVAILABLE when ccxt is not installed or does not have it.
 */
export async function openExchange(options: ExchangeOptions, load: () => Promise<object>): Promise<OpenedExchange> {
  const { exchange: id, config, timeoutMs } = options
  const ccxt = await loadCcxt(load)
  const ids = ccxt.exchanges as readonly string[]
  const Exchange = ccxt[id]
  if (!ids.includes(id) || typeof Exchange !== 'function') {
    const nearest = nearestName(id, ids)
    const choice = nearest === undefined ? `there are ${ids.join(', ')}` : `did you mean "${nearest}"?`
    throw new CrunchError('FEED_UNAVAILABLE', `ccxt has no exchange "${id}"; ${choice}`)
  }
  // ccxt accepts no signal, so the caller's signal is applied where the request is sent.
  const asking = new AsyncLocalStorage<AbortSignal>()
  const exchange: CcxtExchange = Reflect.construct(Exchange, [
    {
      ...config,
      timeout: timeoutMs,
      fetchImplementation: (url: string, init: CcxtRequest) =>
        send(url, init, [asking.getStore(), AbortSignal.timeout(timeoutMs)]),
    },
  ])
  return {
    async ask(signal, request) {
      signal.throwIfAborted()
      try {
        return await asking.run(signal, () => request(exchange))
      } catch (error) {
        signal.throwIfAborted()
        throw explain(ccxt, id, error)
      }
    },
  }
}

interface CcxtRequest extends RequestInit {
  readonly agent?: unknown
}

/** Replaces ccxt's fetch, which treats non-JSON answers as empty and waits forever for the end of a body. */
async function send(url: string, init: CcxtRequest, more: readonly (AbortSignal | undefined)[]): Promise<Response> {
  if (init.agent !== undefined) throw new TypeError('proxy agents are not supported; set proxyUrl instead')
  const ends = [init.signal, ...more].filter((end) => end instanceof AbortSignal)
  const response = await fetch(url, { ...init, signal: AbortSignal.any(ends) })
  const { origin, pathname } = new URL(url)
  const place = `${origin}${pathname}`
  const body = await readBody(response, maxAnswerBytes, place)
  if (response.ok && !/^\s*[[{]/.test(body)) {
    throw new FeedInterrupted(`${place} did not answer with JSON: ${excerpt(body)}`)
  }
  const { status, statusText, headers } = response
  return new Response(body === '' ? null : body, { status, statusText, headers })
}

async function loadCcxt(load: () => Promise<object>): Promise<CcxtModule> {
  try {
    const module = (await load()) as CcxtModule
    return (module.default ?? module) as CcxtModule
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    const cause = 'the package ccxt is not installed; run npm install ccxt in the folder of the contract'
    throw new CrunchError('FEED_UNAVAILABLE', cause, { cause: error })
  }
}

function explain(ccxt: CcxtModule, id: string, error: unknown): CrunchError {
  if (error instanceof CrunchError) return error
  const isOne = (names: readonly string[]) =>
    names.some((name) => typeof ccxt[name] === 'function' && error instanceof (ccxt[name] as ErrorClass))
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const message = `${id} by ccxt: ${text.replace(/\s+/g, ' ').slice(0, 400)}`
  if (isOne(lastingErrors)) return new CrunchError('FEED_UNAVAILABLE', message, { cause: error })
  return new FeedInterrupted(message, { cause: error, ...(isOne(limitErrors) && { retryAfterMs: limitedMs }) })
}
