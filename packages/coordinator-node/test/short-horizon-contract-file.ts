import { defineContract, ticks, tiers } from '@crunch/coordinator-node'
import { z } from 'zod'
import { pulseSource } from './pulse-source.ts'

/** The truth is known four seconds after a round opens; models have nearly as long. Each answer contains its creation time. */
export default defineContract({
  name: 'short-horizon',
  feed: { ...ticks({ source: 'pulse', subjects: ['A'], granularity: '100ms' }), from: () => pulseSource(50) },
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
