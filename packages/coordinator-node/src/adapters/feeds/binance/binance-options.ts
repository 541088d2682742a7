import { wait } from '@crunch/local-processes'
import type { Instant } from '../../../domain/time.ts'

/** Binance sites: `data` is the mirror of public market data, which is open to more regions. */
export type BinanceSite = 'global' | 'us' | 'data' | 'testnet'

export interface BinanceOptions {
  /** Default: `global`. */
  readonly site?: BinanceSite
  /** Overrides the site's address, e.g. with a proxy. */
  readonly restUrl?: string
  readonly streamUrl?: string
  /** Request weight that an IP address may use per minute. Default: as the site reports it. */
  readonly weightPerMinute?: number
  /** The trades of a millisecond count as complete after this long without another trade. */
  readonly quietMs?: number
  /** A connection is closed when nothing arrives for this long, not even a pong. */
  readonly silenceMs?: number
  /** Time limit of a handshake, of the answers to subscriptions, and of a complete answer to a request. */
  readonly timeoutMs?: number
  /** Records held for a slow reader; with more waiting, the stream is interrupted. */
  readonly maxPendingRecords?: number
  /** Price levels of each side that `depth` sums up. */
  readonly depthLevels?: 5 | 10 | 20
  /** The machine's clock and timers; tests replace them. */
  readonly now?: () => Instant
  /** Returns at once when the signal aborts. */
  readonly wait?: (lengthMs: number, signal: AbortSignal) => Promise<unknown>
}

interface Site {
  readonly restUrl: string
  readonly streamUrl: string
  readonly weightPerMinute: number
}

const sites: Readonly<Record<BinanceSite, Site>> = {
  global: {
    restUrl: 'https://api.binance.com',
    streamUrl: 'wss://stream.binance.com:9443',
    weightPerMinute: 6_000,
  },
  us: { restUrl: 'https://api.binance.us', streamUrl: 'wss://stream.binance.us:9443', weightPerMinute: 1_200 },
  data: {
    restUrl: 'https://data-api.binance.vision',
    streamUrl: 'wss://data-stream.binance.vision',
    weightPerMinute: 6_000,
  },
  testnet: {
    restUrl: 'https://testnet.binance.vision',
    streamUrl: 'wss://stream.testnet.binance.vision',
    weightPerMinute: 6_000,
  },
}

/** The options with every default filled in. */
export type ResolvedBinanceOptions = Required<BinanceOptions>

export function resolveBinanceOptions(options: BinanceOptions): ResolvedBinanceOptions {
  const { site = 'global' } = options
  return {
    site,
    restUrl: withoutSlash(options.restUrl ?? sites[site].restUrl),
    streamUrl: withoutSlash(options.streamUrl ?? sites[site].streamUrl),
    weightPerMinute: options.weightPerMinute ?? sites[site].weightPerMinute,
    quietMs: options.quietMs ?? 250,
    silenceMs: options.silenceMs ?? 60_000,
    timeoutMs: options.timeoutMs ?? 10_000,
    maxPendingRecords: options.maxPendingRecords ?? 10_000,
    depthLevels: options.depthLevels ?? 10,
    now: options.now ?? Date.now,
    wait: options.wait ?? wait,
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
