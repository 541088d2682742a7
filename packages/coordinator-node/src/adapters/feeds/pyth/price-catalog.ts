import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { FeedInterrupted, type FeedOffer } from '../../../ports/feed-source.ts'
import { excerpt, parseAnswer } from '../http/read-answer.ts'
import { candleResolutions } from './candle-resolutions.ts'
import type { PythClient } from './pyth-client.ts'

/** Name of the source in contracts. */
export const pythSource = 'pyth'

/** One of Pyth's price feeds. */
export interface PythFeed {
  /** 64 hexadecimal digits, without `0x`. */
  readonly id: string
  /** `Crypto.BTC/USD`: unique, and the name in the history. */
  readonly symbol: string
}

export interface PriceCatalog {
  readonly offers: readonly FeedOffer[]
  /** Feeds by every name that a subject may have. */
  readonly feeds: ReadonlyMap<string, PythFeed>
}

const id = z
  .string()
  .toLowerCase()
  .regex(/^(0x)?[0-9a-f]{64}$/)
  .transform((text) => text.replace(/^0x/, ''))
const listSchema = z.array(
  z.object({ id, attributes: z.object({ symbol: z.string().min(1), display_symbol: z.string().min(1).optional() }) }),
)

/**
 * Pyth's feeds. A subject is the short name, `BTC/USD`, if only one feed has it; every feed can also be named by its full
 * symbol, `Crypto.BTC/USD`, and by its id without `0x`.
 */
export async function readPriceCatalog(
  client: PythClient,
  baseUrl: string,
  signal: AbortSignal,
): Promise<PriceCatalog> {
  const answer = await client.ask(new URL(`${baseUrl}/v2/price_feeds`), signal)
  if (answer.status === 404) {
    throw new CrunchError('FEED_UNAVAILABLE', `${answer.place} answered 404: check FEED_PYTH_URL`)
  }
  if (answer.status !== 200) throw client.refusal(answer)
  const parsed = listSchema.safeParse(parseAnswer(answer))
  if (!parsed.success) {
    throw new FeedInterrupted(`${answer.place} did not answer with a list of price feeds: ${excerpt(answer.body)}`)
  }
  const list = parsed.data.map(({ id, attributes }) => ({
    feed: { id, symbol: attributes.symbol },
    name: attributes.display_symbol,
  }))
  const counts = new Map<string, number>()
  for (const { name } of list) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  const short = list.flatMap(({ feed, name }) =>
    name !== undefined && counts.get(name) === 1 ? [[name, feed] as const] : [],
  )
  const exact = list.flatMap(({ feed }) => [[feed.symbol, feed] as const, [feed.id, feed] as const])
  const offers = [short, exact].flatMap((names) => offersOf(names.map(([name]) => name)))
  return { offers, feeds: new Map([...short, ...exact]) }
}

function offersOf(subjects: readonly string[]): FeedOffer[] {
  return [
    { source: pythSource, subjects, kind: 'tick', granularities: 'any' },
    { source: pythSource, subjects, kind: 'candle', granularities: Object.keys(candleResolutions) },
  ]
}
