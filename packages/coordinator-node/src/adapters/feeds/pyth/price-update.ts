import { z } from 'zod'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { readEpoch } from '../../../domain/instant-text.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { excerpt } from '../http/read-answer.ts'

/** A price of one feed at one second. */
export interface PriceUpdate {
  /** Id of the feed, without `0x`. */
  readonly id: string
  readonly publishedAt: Instant
  /** Publish time of the previous price. */
  readonly previousAt: Instant | null
  readonly values: {
    readonly price: number
    readonly confidence: number
    readonly emaPrice: number
    readonly emaConfidence: number
  }
}

const scaled = z.object({
  price: z.string().regex(/^-?\d+$/),
  conf: z.string().regex(/^\d+$/),
  expo: z.number().int().min(-30).max(30),
  publish_time: z.number().refine((second) => readEpoch(second, 's').at !== undefined, 'is not in seconds since 1970'),
})
const updatesSchema = z.object({
  parsed: z.array(
    z.object({
      id: z.string(),
      price: scaled,
      ema_price: scaled,
      metadata: z.object({ prev_publish_time: z.number().int().nullish() }).nullish(),
    }),
  ),
})

/** The prices in an answer or event of Hermes. Throws `FeedInterrupted` if there are none. */
export function readPriceUpdates(place: string, body: string): PriceUpdate[] {
  const parsed = updatesSchema.safeParse(parseJson(body))
  if (!parsed.success) throw new FeedInterrupted(`${place} sent something other than prices: ${excerpt(body)}`)
  return parsed.data.parsed.map(({ id, price, ema_price: ema, metadata }) => ({
    id: id.replace(/^0x/, ''),
    publishedAt: price.publish_time * 1_000,
    previousAt: typeof metadata?.prev_publish_time === 'number' ? metadata.prev_publish_time * 1_000 : null,
    values: {
      price: decimal(price.price, price.expo),
      confidence: decimal(price.conf, price.expo),
      emaPrice: decimal(ema.price, ema.expo),
      emaConfidence: decimal(ema.conf, ema.expo),
    },
  }))
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Parses digits and exponent as one decimal number: multiplying by a power of ten would add rounding errors. */
function decimal(digits: string, expo: number): number {
  return Number(`${digits}e${expo}`)
}

/**
 * Selects the final updates of one feed. Pyth publishes a feed several times a second, all with the same second as their
 * time. The FIRST update of a second is its price: it is final at once, unique, and the one that Pyth's point-in-time API
 * and its on-chain contracts return for that second.
 */
export function createFirstOfSecond(): (update: PriceUpdate) => PriceUpdate | undefined {
  let newestAt: Instant | null = null
  return (update) => {
    const { publishedAt, previousAt } = update
    const before = newestAt
    if (before !== null && publishedAt <= before) return undefined
    newestAt = publishedAt
    // Without the previous publish time, the first update seen may be any of its second.
    if (previousAt === null) return before === null ? undefined : update
    return previousAt < publishedAt ? update : undefined
  }
}

export function tickOf(scope: FeedScope, { publishedAt, values }: PriceUpdate): SourceRecord {
  return { ...scope, eventAt: publishedAt, knownAt: publishedAt, values }
}
