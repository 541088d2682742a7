export interface RateLimit {
  /** Seconds until this client may try again; 0: it may now. */
  waitSeconds(client: string): number
  /** Takes one of the client's tries. */
  take(client: string): void
}

export interface RateLimitOptions {
  /** Tries that a client may make at once. */
  readonly burst: number
  /** How often a try comes back. */
  readonly everyMs: number
  readonly monotonicMs: () => number
}

/** Clients that are remembered. Beyond it, the one that was seen first is forgotten. */
const maxClients = 10_000

/** Limits tries by client, with a token bucket each, in bounded memory. */
export function createRateLimit({ burst, everyMs, monotonicMs }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>()
  function tokensOf(client: string): number {
    const bucket = buckets.get(client)
    return bucket === undefined ? burst : Math.min(burst, bucket.tokens + (monotonicMs() - bucket.at) / everyMs)
  }
  return {
    waitSeconds(client) {
      const tokens = tokensOf(client)
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * everyMs) / 1_000)
    },
    take(client) {
      const tokens = Math.max(0, tokensOf(client) - 1)
      // At the end of the order of insertion.
      buckets.delete(client)
      buckets.set(client, { tokens, at: monotonicMs() })
      if (buckets.size <= maxClients) return
      for (const first of buckets.keys()) {
        buckets.delete(first)
        break
      }
    },
  }
}
