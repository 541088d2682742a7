import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { readEpoch } from '../../../domain/instant-text.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type FeedSourceWithHistory, type SourceRecord } from '../../../ports/feed-source.ts'
import { getText, type HttpAnswer } from '../http/get-text.ts'
import { excerpt, parseAnswer, refusal } from '../http/read-answer.ts'
import { createPollingSource } from '../polling/create-polling-source.ts'

export interface PriceApiOptions {
  /** Base URL, without `/v1/prices`. */
  readonly url: string
  readonly pollSeconds: number
  /** Replaces the wall clock in tests. */
  readonly now?: () => Instant
}

/** Name of the source in contracts. */
const source = 'crunch-prices'
const minuteMs = 60_000
const pageMinutes = 1_440
/** The newest price is final this long after its minute, or once a later one exists: our clock may be a little ahead. */
const settledMs = 5_000

const pricesSchema = z.object({ timestamp: z.array(z.number().int()), close: z.array(z.number().nullable()) })

/**
 * CrunchDAO's price API: the price of an asset at the end of every minute, as ticks `{ price }` of granularity `1m`. It
 * labels a closing price with the BEGINNING of its minute. The price was not known then, so its record gets the time of
 * the end of the minute. The API lists no assets, so an unknown asset is detected only when it is requested.
 */
export function createPriceApiSource(options: PriceApiOptions): FeedSourceWithHistory {
  const { url, pollSeconds, now = Date.now } = options
  const endpoint = `${url.replace(/\/+$/, '')}/v1/prices`
  return createPollingSource({
    describe: async () => [{ source, subjects: 'any', kind: 'tick', granularities: ['1m'] }],
    async ask(scope, from, to, signal) {
      const query = new URL(endpoint)
      query.searchParams.set('asset', scope.subject)
      // One extra minute at both ends: it is undocumented whether the API's bounds are inclusive.
      query.searchParams.set('from', String(Math.floor((from - 2 * minuteMs) / 1_000)))
      query.searchParams.set('to', String(Math.ceil(to / 1_000)))
      query.searchParams.set('resolution', 'minute')
      return readPrices(scope, await getText({ url: query, signal }), now())
    },
    everyMs: pollSeconds * 1_000,
    pageCells: pageMinutes,
    now,
  })
}

function readPrices(scope: FeedScope, answer: HttpAnswer, now: Instant): SourceRecord[] {
  const { place, status, body } = answer
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    throw new CrunchError(
      'FEED_UNAVAILABLE',
      `${place} answered ${status} for the asset "${scope.subject}", ${excerpt(body)}: check the feed's subjects and FEED_PRICE_API_URL`,
    )
  }
  if (status !== 200) throw refusal(answer, now)
  const parsed = pricesSchema.safeParse(parseAnswer(answer))
  if (!parsed.success || parsed.data.timestamp.length !== parsed.data.close.length) {
    const cause = 'no arrays "timestamp" and "close" of numbers with equal lengths'
    throw new FeedInterrupted(`${place} answered ${cause}, but ${excerpt(body)}`)
  }
  const { timestamp, close } = parsed.data
  const prices = timestamp.map((second, index) => {
    const reading = readEpoch(second, 's')
    if (reading.at !== undefined) return { eventAt: reading.at + minuteMs, price: close[index] ?? null }
    throw new FeedInterrupted(`${place} answered the timestamp ${second}, not in seconds since 1970: ${reading.cause}`)
  })
  const newestAt = Math.max(...prices.map(({ eventAt }) => eventAt))
  return prices.flatMap(({ eventAt, price }) => {
    const isFinal = eventAt < newestAt || now >= eventAt + settledMs
    return isFinal && price !== null ? [{ ...scope, eventAt, knownAt: eventAt, values: { price } }] : []
  })
}
