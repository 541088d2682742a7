import { defineContract, series, tiers } from '@crunch/coordinator-node'
import { scorePrediction } from 'crunch-template-challenge'
import { z } from 'zod'

/** One value per hour: the columns of `recordings/values.csv`. */
const values = series({
  source: 'recorded',
  subjects: ['example'],
  kind: 'value',
  granularity: '1h',
  values: z.object({ value: z.number() }),
})

export default defineContract({
  name: 'crunch-template',
  feed: values,
  // The organizer's model, neither ranked nor paid. A model that is not better earns nothing.
  baselines: ['recent-mean'],

  // What models see: the values of the last two days, oldest first.
  input: {
    schema: z.object({ subject: z.string(), values: z.array(z.number()) }),
    window: '2d',
    build: ({ subject, records }) => ({ subject, values: records.map((record) => record.values.value) }),
  },

  // Every hour, models predict the value of the next hour.
  prediction: {
    schema: z.object({ value: z.number() }),
    schedule: [{ subject: 'example', every: '1h', horizon: '1h' }],
    timeout: '10s',
    missing: 'worst',
  },

  truth: {
    schema: z.object({ value: z.number() }),
    // A round for a missing hour must not be scored with the hour before.
    maxStaleness: '30m',
    resolve: ({ entry, exit }) => (exit.eventAt > entry.eventAt ? { value: exit.values.value } : null),
  },

  score: {
    schema: z.object({ error: z.number().nonnegative() }),
    compute: ({ output, truth }) => scorePrediction(output, truth.value),
  },

  snapshot: {
    every: '6h',
    metrics: ['ic'],
    signal: ({ output }) => output.value,
    actual: ({ truth }) => truth.value,
  },

  leaderboard: {
    value: 'error',
    windows: { day: '1d', week: '7d' },
    rankBy: 'week',
    direction: 'asc',
    newcomers: 'wait',
    minCoverage: 0.8,
  },

  checkpoint: { every: '7d', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'recent-mean' } }) },
})
