import { defineContract, ticks, tiers } from '@crunch/coordinator-node'
import { z } from 'zod'
import { pulseSource } from './pulse-source.ts'

/** A competition with horizons of seconds, on its own source. */
export default defineContract({
  name: 'quick',
  feed: { ...ticks({ source: 'pulse', subjects: ['A'], granularity: '1s' }), from: () => pulseSource(500) },
  input: {
    schema: z.object({ price: z.number() }),
    window: '10s',
    build: ({ records }) => ({ price: records.at(-1)?.values.price ?? 0 }),
  },
  prediction: {
    schema: z.object({ value: z.number() }),
    schedule: [{ key: 'A-1s', subject: 'A', every: '1s', horizon: '2s' }],
    timeout: '1s',
  },
  truth: {
    schema: z.object({ price: z.number() }),
    maxStaleness: '2s',
    resolve: ({ exit }) => ({ price: exit.values.price }),
  },
  score: {
    schema: z.object({ error: z.number() }),
    compute: ({ output, truth }) => ({ error: Math.abs(output.value - truth.price) }),
  },
  snapshot: { every: '5s' },
  leaderboard: { value: 'error', windows: { recent: '1m' }, rankBy: 'recent', direction: 'asc' },
  checkpoint: { every: '10s', emission: tiers() },
})
