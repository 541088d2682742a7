import type { EventSourceMessage } from 'eventsource-parser'
import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type FeedSourceWithHistory, type SourceRecord } from '../../../ports/feed-source.ts'
import type { Log } from '../../../ports/log.ts'
import { excerpt } from '../http/read-answer.ts'
import { createCandleBuilder } from './candle-builder.ts'
import { readCandleHistory } from './candle-history.ts'
import { type PriceCatalog, type PythFeed, readPriceCatalog } from './price-catalog.ts'
import { createFirstOfSecond, type PriceUpdate, readPriceUpdates, tickOf } from './price-update.ts'
import { createPythClient } from './pyth-client.ts'
import { readTickHistory } from './tick-history.ts'

export interface PythOptions {
  /** Base URL of Hermes, without `/v2`. */
  readonly url: string
  /** Base URL of the history API, without the channel. */
  readonly historyUrl: string
  readonly apiKey: string | undefined
  readonly requestsPer10Seconds: number
  readonly log: Log
  /** The longest allowed silence of a stream. */
  readonly silenceMs?: number
  /** How far back ticks are requested, one request each. Default: as many as take about 20 s. */
  readonly tickReachMs?: number
  /** Replaces the wall clock in tests. */
  readonly now?: () => Instant
}

/** Limits the backfill of ticks: new records wait for it, and all subjects share Pyth's request limit. */
const reachMsOfRequest = 2_000

/**
 * Pyth's prices: ticks `{ price, confidence, emaPrice, emaConfidence }`, one per second and feed, and candles built from
 * them. Historical candles are Pyth's own, built from finer prices, so their highs and lows may differ slightly.
 */
export function createPythSource(options: PythOptions): FeedSourceWithHistory {
  const { log, silenceMs, now = Date.now } = options
  const { tickReachMs = options.requestsPer10Seconds * reachMsOfRequest } = options
  const baseUrl = options.url.replace(/\/+$/, '')
  const historyUrl = options.historyUrl.replace(/\/+$/, '')
  const client = createPythClient({ ...options, silenceMs, now })
  let catalog: PriceCatalog | undefined
  const load = async (signal: AbortSignal): Promise<PriceCatalog> => {
    catalog = await readPriceCatalog(client, baseUrl, signal)
    return catalog
  }
  return {
    describe: async (signal) => (await load(signal)).offers,
    stream: (scopes, _from, signal, onOpen) =>
      untilAborted(signal, async function* () {
        const lines = openLines(scopes, catalog ?? (await load(signal)), log)
        const url = new URL(`${baseUrl}/v2/updates/price/stream`)
        for (const id of new Set(lines.map(({ feed }) => feed.id))) url.searchParams.append('ids[]', id)
        url.searchParams.set('parsed', 'true')
        url.searchParams.set('ignore_invalid_price_ids', 'true')
        url.searchParams.set('benchmarks_only', 'true')
        for await (const events of client.events(url, signal, onOpen)) {
          const records = events.flatMap((event) => recordsOf(`${url.origin}${url.pathname}`, event, lines))
          if (records.length > 0) yield records
        }
      }),
    history: (scope, from, to, signal) =>
      untilAborted(signal, async function* () {
        const feed = (catalog ?? (await load(signal))).feeds.get(scope.subject)
        if (feed === undefined) throw unknownSubjects([scope])
        yield* scope.kind === 'candle'
          ? readCandleHistory({ client, historyUrl, scope, feed, now }, from, to, signal)
          : readTickHistory({ client, baseUrl, scope, feed, reachMs: tickReachMs, log }, from, to, signal)
      }),
  }
}

/** One series of a stream, with the function that turns its updates into records. */
interface Line {
  readonly feed: PythFeed
  readonly take: (update: PriceUpdate) => SourceRecord | undefined
}

/** A subject that Pyth no longer has must not stop the others. If none is left, the operator must act: throws. */
function openLines(scopes: readonly FeedScope[], catalog: PriceCatalog, log: Log): Line[] {
  const unknown = scopes.filter(({ subject }) => !catalog.feeds.has(subject))
  if (unknown.length > 0 && unknown.length === scopes.length) throw unknownSubjects(unknown)
  if (unknown.length > 0) {
    log.error('Pyth has no such price feeds; the others continue', { stage: 'feed', subjects: subjectsOf(unknown) })
  }
  return scopes.flatMap((scope) => {
    const feed = catalog.feeds.get(scope.subject)
    if (feed === undefined) return []
    const first = createFirstOfSecond()
    const record = scope.kind === 'candle' ? createCandleBuilder(scope) : (tick: PriceUpdate) => tickOf(scope, tick)
    return [
      {
        feed,
        take(update) {
          const tick = first(update)
          return tick && record(tick)
        },
      },
    ]
  })
}

function recordsOf(place: string, event: EventSourceMessage, lines: readonly Line[]): SourceRecord[] {
  if (event.event === 'error') throw new FeedInterrupted(`${place} reports ${excerpt(event.data)}`)
  return readPriceUpdates(place, event.data).flatMap((update) =>
    lines.filter(({ feed }) => feed.id === update.id).flatMap(({ take }) => take(update) ?? []),
  )
}

function unknownSubjects(scopes: readonly FeedScope[]): CrunchError {
  return new CrunchError('FEED_UNAVAILABLE', `Pyth has no price feed ${subjectsOf(scopes)}; check the feed's subjects`)
}

function subjectsOf(scopes: readonly FeedScope[]): string {
  return [...new Set(scopes.map(({ subject }) => subject))].join(', ')
}

/** Records until the signal aborts; an abort is not an error. */
async function* untilAborted(
  signal: AbortSignal,
  open: () => AsyncIterable<readonly SourceRecord[]>,
): AsyncGenerator<readonly SourceRecord[]> {
  if (signal.aborted) return
  try {
    for await (const records of open()) {
      yield records
      if (signal.aborted) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
