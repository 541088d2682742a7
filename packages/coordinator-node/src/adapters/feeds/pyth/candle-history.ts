import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { readEpoch } from '../../../domain/instant-text.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { HttpAnswer } from '../http/get-text.ts'
import { excerpt, parseAnswer } from '../http/read-answer.ts'
import { candleResolutions } from './candle-resolutions.ts'
import type { PythFeed } from './price-catalog.ts'
import type { PythClient } from './pyth-client.ts'

/** The channel that contains every feed; the faster channels lack stocks and metals. */
const channel = 'fixed_rate@200ms'
const pageBars = 1_440
/** A candle may still change for this long after its end. */
const settledMs = 5_000

const prices = z.array(z.number().nullable())
const barsSchema = z.discriminatedUnion('s', [
  z.object({ s: z.literal('ok'), t: z.array(z.number()), o: prices, h: prices, l: prices, c: prices }),
  z.object({ s: z.literal('no_data') }),
  z.object({ s: z.literal('error'), errmsg: z.string().optional() }),
])

export interface CandleHistoryRequest {
  readonly client: PythClient
  readonly historyUrl: string
  readonly scope: FeedScope
  readonly feed: PythFeed
  readonly now: () => Instant
}

/** The candles of a range that have ended, in pages. */
export async function* readCandleHistory(
  request: CandleHistoryRequest,
  from: Instant,
  to: Instant,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  const { client, historyUrl, scope, feed, now } = request
  const granularityMs = durationMs(scope.granularity)
  const pageMs = pageBars * granularityMs
  for (let start = from; start < to && !signal.aborted; start += pageMs) {
    const end = Math.min(start + pageMs, to)
    const url = new URL(`${historyUrl}/${channel}/history`)
    url.searchParams.set('symbol', feed.symbol)
    url.searchParams.set('resolution', candleResolutions[scope.granularity] ?? '')
    url.searchParams.set('from', String(Math.floor(start / 1_000)))
    url.searchParams.set('to', String(Math.ceil(end / 1_000)))
    const asked = now()
    const records = readBars(client, scope, feed, await client.ask(url, signal)).filter(
      ({ eventAt, knownAt }) => eventAt >= start && eventAt < end && knownAt + settledMs <= asked,
    )
    if (records.length > 0) yield records
  }
}

function readBars(client: PythClient, scope: FeedScope, feed: PythFeed, answer: HttpAnswer): SourceRecord[] {
  const { place, status, body } = answer
  if (status === 404) {
    const cause = `it has no history of ${feed.symbol}, ${excerpt(body)}; check FEED_PYTH_HISTORY_URL`
    throw new CrunchError('FEED_UNAVAILABLE', `${place} answered 404: ${cause}`)
  }
  if (status !== 200) throw client.refusal(answer)
  const parsed = barsSchema.safeParse(parseAnswer(answer))
  if (!parsed.success) throw new FeedInterrupted(`${place} did not answer with candles: ${excerpt(body)}`)
  const bars = parsed.data
  if (bars.s === 'no_data') return []
  if (bars.s === 'error') {
    throw new FeedInterrupted(`${place} reports an error for ${feed.symbol}: ${bars.errmsg ?? 'it does not say which'}`)
  }
  const { t, o, h, l, c } = bars
  const granularityMs = durationMs(scope.granularity)
  const isRegular = [o, h, l, c].every((column) => column.length === t.length)
  const times = t.map((second) => readEpoch(second, 's').at ?? Number.NaN)
  const isOnGrid = times.every((at, index) => at % granularityMs === 0 && at > (times[index - 1] ?? 0))
  if (!isRegular || !isOnGrid) {
    throw new FeedInterrupted(
      `${place} answered candles of ${feed.symbol} that are not ${scope.granularity} candles, ${excerpt(body)}`,
    )
  }
  return times.flatMap((eventAt, index) => {
    const [open, high, low, close] = [o, h, l, c].map((column) => column[index] ?? null)
    // Pyth published no price in this interval.
    if (open == null || high == null || low == null || close == null) return []
    return [{ ...scope, eventAt, knownAt: eventAt + granularityMs, values: { open, high, low, close, volume: 0 } }]
  })
}
