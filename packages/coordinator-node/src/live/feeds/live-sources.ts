import { createBinanceSource } from '../../adapters/feeds/binance/create-binance-source.ts'
import { createPriceApiSource } from '../../adapters/feeds/price-api/create-price-api-source.ts'
import { createPythSource } from '../../adapters/feeds/pyth/create-pyth-source.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { contractFeeds } from '../../contract/resolved-contract.ts'
import { CrunchError } from '../../domain/errors.ts'
import { nearestName } from '../../domain/nearest-name.ts'
import type { FeedSource, FeedSourceContext, FeedSourceFactory } from '../../ports/feed-source.ts'
import type { Settings } from '../settings.ts'

type SourceMaker = (settings: Settings, context: FeedSourceContext) => FeedSource

/** The engine's live sources, by their names in contracts. */
const engineSources: Readonly<Record<string, SourceMaker>> = {
  binance: (settings) =>
    createBinanceSource({
      site: settings.FEED_BINANCE_SITE,
      ...(settings.FEED_BINANCE_REST_URL !== undefined && { restUrl: settings.FEED_BINANCE_REST_URL }),
      ...(settings.FEED_BINANCE_STREAM_URL !== undefined && { streamUrl: settings.FEED_BINANCE_STREAM_URL }),
    }),
  'crunch-prices': (settings) =>
    createPriceApiSource({ url: settings.FEED_PRICE_API_URL, pollSeconds: settings.FEED_POLL_SECONDS }),
  pyth: (settings, { log }) =>
    createPythSource({
      url: settings.FEED_PYTH_URL,
      historyUrl: settings.FEED_PYTH_HISTORY_URL,
      apiKey: settings.PYTH_API_KEY,
      requestsPer10Seconds: settings.FEED_PYTH_REQUESTS_PER_10_SECONDS,
      log,
    }),
}

/** Their names. */
export const liveSources: readonly string[] = Object.keys(engineSources)

/**
 * Creates the source of every feed of a contract: the contract's own, else the engine's by that name. Throws a
 * `CrunchError` FEED_UNAVAILABLE for an unknown name.
 */
export function createLiveSources(
  contract: AnyContract,
  settings: Settings,
  context: FeedSourceContext,
): ReadonlyMap<string, FeedSource> {
  const sources = new Map<string, FeedSource>()
  const factories = new Map<string, FeedSourceFactory>()
  for (const { definition } of contractFeeds(contract)) {
    const { source: name, from } = definition
    if (sources.has(name) && from === factories.get(name)) continue
    if (sources.has(name)) {
      throw new CrunchError('CONTRACT_INVALID', `feed: two feeds call different sources "${name}"; rename one of them`)
    }
    if (from !== undefined) factories.set(name, from)
    sources.set(name, from === undefined ? makeEngineSource(name, settings, context) : from(context))
  }
  return sources
}

/** Creates a source by name: the contract's own, else the engine's. */
export function createSource(
  name: string,
  contract: AnyContract,
  settings: Settings,
  context: FeedSourceContext,
): FeedSource {
  const { from } = contractFeeds(contract).find(({ scope }) => scope.source === name)?.definition ?? {}
  return from === undefined ? makeEngineSource(name, settings, context) : from(context)
}

function makeEngineSource(name: string, settings: Settings, context: FeedSourceContext): FeedSource {
  const make = engineSources[name]
  if (make !== undefined) return make(settings, context)
  const nearest = nearestName(name, liveSources)
  const choice = nearest === undefined ? `there are ${liveSources.join(', ')}` : `did you mean "${nearest}"?`
  throw new CrunchError(
    'FEED_UNAVAILABLE',
    `there is no live source "${name}": ${choice}; give the feed a source of your own with "from", or run a recording with crunch deploy --replay FILE`,
  )
}
