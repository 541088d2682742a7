import { CrunchError } from '../../../domain/errors.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import type { HttpAnswer } from '../http/get-text.ts'
import { excerpt, readRetryAfter } from '../http/read-answer.ts'
import type { BinanceSite } from './binance-options.ts'

/** What was requested, for the error message. */
export interface Asked {
  readonly site: BinanceSite
  readonly subject?: string
  readonly granularity?: string
}

const minuteMs = 60_000
/** Binance's shortest ban. */
const shortestBanMs = 2 * minuteMs
/** Binance's firewall counts requests over five minutes. */
const firewallMs = 5 * minuteMs

/** Explains an answer of Binance other than 200, with a fix. Applies to REST and to the handshake of a stream. */
export function explainRefusal(answer: HttpAnswer, asked: Asked, now: number): CrunchError {
  const said = `${answer.place} answered ${answer.status}, ${excerpt(messageOf(answer))}`
  switch (answer.status) {
    case 418:
      return interrupted(said, banMs(answer, now), 'it has banned this address for too many requests')
    case 429:
      return interrupted(said, readRetryAfter(answer.headers, now) ?? minuteMs, 'it received too many requests')
    case 403:
      return interrupted(
        said,
        readRetryAfter(answer.headers, now) ?? firewallMs,
        `its firewall blocks this address, usually for too many requests; if this persists, set ${otherSites(asked.site)}`,
      )
    case 451:
      return new CrunchError(
        'FEED_UNAVAILABLE',
        `${said}. Binance does not serve the region of this machine: set ${otherSites(asked.site)}, or run the node elsewhere`,
      )
    default:
      return explainByCode(answer, asked, said, now)
  }
}

/** Errors that are not the request's fault: a retry may help, whatever the status. */
const passingCodes: readonly unknown[] = [-1000, -1001, -1003, -1006, -1007, -1008, -1016, -1034]

function explainByCode(answer: HttpAnswer, asked: Asked, said: string, now: number): CrunchError {
  const { code } = bodyOf(answer)
  if (code === -1121) {
    const advice = 'write it as Binance does, such as BTCUSDT'
    return new CrunchError('FEED_UNAVAILABLE', `${said}. Binance has no symbol "${asked.subject}": ${advice}`)
  }
  if (code === -1120) {
    return new CrunchError('FEED_UNAVAILABLE', `${said}. There are no candles of ${asked.granularity} at this site`)
  }
  const { status } = answer
  const isOurs = status >= 400 && status < 500 && status !== 408 && !passingCodes.includes(code)
  if (!isOurs) {
    const retryAfterMs = readRetryAfter(answer.headers, now)
    const message = `${said}: Binance is temporarily unavailable; retrying`
    return new FeedInterrupted(message, retryAfterMs === undefined ? {} : { retryAfterMs })
  }
  return new CrunchError(
    'FEED_UNAVAILABLE',
    `${said}. It will not answer this request; if you set its address, check FEED_BINANCE_REST_URL and FEED_BINANCE_STREAM_URL`,
  )
}

function interrupted(said: string, retryAfterMs: number, cause: string): FeedInterrupted {
  const seconds = Math.ceil(retryAfterMs / 1_000)
  return new FeedInterrupted(`${said}: ${cause}; retrying in ${seconds} s`, { retryAfterMs })
}

/** The end of a ban is in the header, in the message, or in both. */
function banMs(answer: HttpAnswer, now: number): number {
  const untilAt = Number(/banned until (\d{13})/.exec(answer.body)?.[1] ?? 0)
  const longestMs = Math.max(readRetryAfter(answer.headers, now) ?? 0, untilAt - now)
  // An end in the past means that the server's clock and ours disagree.
  return longestMs > 0 ? longestMs : shortestBanMs
}

function otherSites(site: BinanceSite): string {
  const others = (['us', 'data'] as const).filter((other) => other !== site)
  const meanings = { us: 'us (Binance.US)', data: 'data (the mirror of public market data)' }
  return `FEED_BINANCE_SITE=${others.map((other) => meanings[other]).join(' or ')}`
}

function messageOf(answer: HttpAnswer): string {
  const { msg } = bodyOf(answer)
  return typeof msg === 'string' ? msg : answer.body
}

function bodyOf(answer: HttpAnswer): { readonly code?: unknown; readonly msg?: unknown } {
  try {
    const body: unknown = JSON.parse(answer.body)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    // The body is an HTML page instead of JSON: its text is shown.
    return {}
  }
}
