import type { FeedScope } from '../../../domain/feed-record.ts'
import { formatInstant, type Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { Log } from '../../../ports/log.ts'
import type { PythFeed } from './price-catalog.ts'
import { type PriceUpdate, readPriceUpdates, tickOf } from './price-update.ts'
import type { PythClient } from './pyth-client.ts'

export interface TickHistoryRequest {
  readonly client: PythClient
  readonly baseUrl: string
  readonly scope: FeedScope
  readonly feed: PythFeed
  /** Longest range; of a longer one only the newest part is read. */
  readonly reachMs: number
  readonly log: Log
}

const secondMs = 1_000

/**
 * The ticks of a range, one per request, because Pyth only returns the first price at or after a second. That suffices for
 * what a short interruption missed; the older part of a long range is skipped and logged.
 */
export async function* readTickHistory(
  request: TickHistoryRequest,
  from: Instant,
  to: Instant,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  const { scope, reachMs, log } = request
  const start = Math.max(from, to - reachMs)
  if (start > from) {
    const fields = { stage: 'feed', subject: scope.subject, from: formatInstant(from), to: formatInstant(start) }
    log.warn('Pyth returns past ticks only one by one; this part of the range is skipped', fields)
  }
  let at = Math.ceil(start / secondMs) * secondMs
  while (at < to && !signal.aborted) {
    const update = await firstFrom(request, at, signal)
    if (update === 'end') return
    if (update === 'none') {
      at += secondMs
      continue
    }
    if (update.publishedAt >= to) return
    yield [tickOf(scope, update)]
    at = update.publishedAt + secondMs
  }
}

/** The first price at or after a second; `none` for a second without a unique price, `end` after the newest. */
async function firstFrom(
  { client, baseUrl, feed }: TickHistoryRequest,
  at: Instant,
  signal: AbortSignal,
): Promise<PriceUpdate | 'none' | 'end'> {
  const url = new URL(`${baseUrl}/v2/updates/price/${at / secondMs}`)
  url.searchParams.set('ids[]', feed.id)
  url.searchParams.set('parsed', 'true')
  const answer = await client.ask(url, signal)
  const { status, body, place } = answer
  if (status === 404 && body.startsWith('Update data not found')) return 'end'
  if (status === 404 && body.startsWith('Benchmark price is not unique')) return 'none'
  if (status !== 200) throw client.refusal(answer)
  const update = readPriceUpdates(place, body).find(({ id }) => id === feed.id)
  if (update !== undefined && update.publishedAt >= at) return update
  throw new FeedInterrupted(`${place} returned no price of ${feed.symbol} from that second on`)
}
