import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { readEpoch, readInstant } from '../../../domain/instant-text.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { type Duration, durationMs, formatInstant, type Instant, parseDuration } from '../../../domain/time.ts'
import type { FeedOffer, FeedSource, FeedSourceFactory, SourceRecord } from '../../../ports/feed-source.ts'
import { createPollingSource } from '../polling/create-polling-source.ts'
import { type CcxtExchange, type OpenedExchange, openExchange } from './open-exchange.ts'

/** Options of {@link ccxtSource}. */
export interface CcxtSourceOptions {
  /** ccxt's id of the exchange, e.g. `kraken`. */
  readonly exchange: string
  /** Name of the source, the same as the feed's. Default: the exchange. */
  readonly source?: string
  /** How often to poll. Default: `5s`. */
  readonly every?: Duration
  /** ccxt's options of the exchange, e.g. `{ options: { defaultType: 'swap' } }`. */
  readonly config?: Readonly<Record<string, unknown>>
}

export interface CcxtParts {
  readonly load: () => Promise<object>
  readonly now: () => Instant
}

const pageCells = 500
const timeoutMs = 10_000
const dayMs = 86_400_000
/** The newest candle is final this long after its end, or once a later one exists. */
const settledMs = 5_000

/**
 * Candles of one of the more than a hundred exchanges that ccxt supports, in the units of the exchange. Needs the package
 * `ccxt`. Pass it as `from` of a feed. Throws a `CrunchError` CONTRACT_INVALID if `every` is not a duration.
 * @example candles({ source: 'kraken', subjects: ['BTC/EUR'], granularity: '1m', from: ccxtSource({ exchange: 'kraken' }) })
 */
export function ccxtSource(options: CcxtSourceOptions): FeedSourceFactory {
  const open = prepareCcxt(options)
  return () => open({ load: () => import('ccxt'), now: Date.now })
}

/** Like {@link ccxtSource}, with ccxt and the clock as parameters for tests. */
export function prepareCcxt(options: CcxtSourceOptions): (parts: CcxtParts) => FeedSource {
  const { exchange, source = exchange, every = '5s', config = {} } = options
  const everyMs = parseDuration(every)
  if (everyMs === undefined) {
    throw new CrunchError('CONTRACT_INVALID', `ccxtSource: every "${every}" is not a duration; write one such as "15s"`)
  }
  return ({ load, now }) => {
    let opening: Promise<OpenedExchange> | undefined
    const opened = () => {
      opening ??= openExchange({ exchange, config, timeoutMs }, load)
      return opening
    }
    return createPollingSource({
      describe: async (signal) =>
        (await opened()).ask(signal, async (asked) => {
          await asked.loadMarkets(true)
          return offersOf(exchange, source, asked)
        }),
      ask: async (scope, from, to, signal) =>
        (await opened()).ask(signal, (asked) => readCandles(asked, { exchange, scope, from, to, now })),
      everyMs,
      pageCells,
      now,
    })
  }
}

function offersOf(exchange: string, source: string, { has, timeframes = {}, symbols }: CcxtExchange): FeedOffer[] {
  if (has.fetchOHLCV !== true) {
    throw new CrunchError('FEED_UNAVAILABLE', `${exchange} by ccxt: the exchange offers no candles; choose another one`)
  }
  // Weeks and months do not lie on a grid from the epoch.
  const granularities = Object.keys(timeframes).filter((timeframe) => {
    const lengthMs = parseDuration(timeframe)
    return lengthMs !== undefined && dayMs % lengthMs === 0
  })
  return [{ source, subjects: symbols, kind: 'candle', granularities }]
}

interface CandleRange {
  readonly exchange: string
  readonly scope: FeedScope
  readonly from: Instant
  readonly to: Instant
  readonly now: () => Instant
}

/** Reads page after page: an exchange may return fewer candles than requested. */
async function readCandles(asked: CcxtExchange, range: CandleRange): Promise<SourceRecord[]> {
  const { exchange, scope, from, to, now } = range
  const granularityMs = durationMs(scope.granularity)
  const found: { readonly eventAt: Instant; readonly row: readonly unknown[] }[] = []
  let since = from
  while (since < to) {
    const rows = await asked.fetchOHLCV(scope.subject, scope.granularity, since, pageCells)
    const page = rows
      .map((row) => ({ eventAt: openTimeOf(exchange, scope, row), row }))
      .filter(({ eventAt }) => eventAt >= since)
      .sort((one, other) => one.eventAt - other.eventAt)
    const last = page.at(-1)
    if (last === undefined) break
    found.push(...page)
    since = last.eventAt + granularityMs
  }
  const newest = found.at(-1)
  // The newest candle may not have ended; its values are then not checked.
  const isSettled = newest === undefined || now() >= newest.eventAt + granularityMs + settledMs
  return (isSettled ? found : found.slice(0, -1)).flatMap(({ eventAt, row }) => {
    const values = valuesOf(exchange, scope, row)
    return values === null ? [] : [{ ...scope, eventAt, knownAt: eventAt + granularityMs, values }]
  })
}

function openTimeOf(exchange: string, scope: FeedScope, row: readonly unknown[]): Instant {
  const reading = readEpoch(row[0], 'ms')
  if (reading.at !== undefined) return reading.at
  throw refused(exchange, scope, row, `has no time in milliseconds (${reading.cause})`)
}

/** `null`: the exchange gives no values because nothing was traded. */
function valuesOf(exchange: string, scope: FeedScope, row: readonly unknown[]): JsonObject | null {
  const cells = row.slice(1, 6)
  if (row.length >= 6 && cells.some((cell) => cell === null || cell === undefined)) return null
  if (row.length < 6 || !cells.every(Number.isFinite))
    throw refused(exchange, scope, row, 'is not a list of six numbers')
  const [open, high, low, close, volume] = cells as number[]
  return { open: open!, high: high!, low: low!, close: close!, volume: volume! }
}

function refused(exchange: string, scope: FeedScope, row: readonly unknown[], problem: string): CrunchError {
  const at = readInstant(row[0]).at
  const place = at === undefined ? '' : ` at ${formatInstant(at)}`
  const cause = `the candle of ${scope.subject}${place} ${problem}: ${JSON.stringify(row)}`
  return new CrunchError('FEED_UNAVAILABLE', `${exchange} by ccxt: ${cause}; choose another exchange`)
}
