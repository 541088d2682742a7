import { z } from 'zod'
import { defineContract, ticks, tiers } from '../src/index.ts'
import type { FeedSource, SourceRecord } from '../src/ports/feed-source.ts'

/** A price every 50 ms until the signal aborts. */
const pulse: FeedSource = {
  describe: async () => [{ source: 'pulse', subjects: ['A'], kind: 'tick', granularities: 'any' }],
  async *stream(scopes, _from, signal) {
    for (let price = 1; !signal.aborted; price += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      const now = Date.now()
      yield scopes.map((scope): SourceRecord => ({ ...scope, eventAt: now, knownAt: now, values: { price } }))
    }
  },
  async *history() {},
}

/** The truth is known four seconds after the question; models have nearly as long. An answer says when it was made. */
export default defineContract({
  name: 'short-horizon',
  feed: { ...ticks({ source: 'pulse', subjects: ['A'], granularity: '100ms' }), from: () => pulse },
  input: {
    schema: z.object({ price: z.number() }),
    window: '1s',
    build: ({ records }) => ({ price: records.at(-1)?.values.price ?? 0 }),
  },
  prediction: {
    schema: z.object({ madeAt: z.number() }),
    schedule: [{ subject: 'A', every: '5s', horizon: '4s' }],
    timeout: '3500ms',
  },
  truth: {
    schema: z.object({ price: z.number() }),
    maxStaleness: '1m',
    resolve: ({ exit }) => ({ price: exit.values.price }),
  },
  score: {
    schema: z.object({ error: z.number() }),
    compute: ({ output, truth }) => ({ error: Math.abs(output.madeAt - truth.price) }),
  },
  snapshot: { every: '5s' },
  leaderboard: { value: 'error', windows: { recent: '1m' }, rankBy: 'recent', direction: 'asc' },
  checkpoint: { every: '10s', emission: tiers() },
})
