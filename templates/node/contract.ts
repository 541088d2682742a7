import { bars, candles, defineContract, tiers } from '@crunch/coordinator-node'
import { scorePrediction } from 'crunch-template-challenge'
import { z } from 'zod'

const market = candles({ source: 'binance', subjects: ['BTCUSDT', 'ETHUSDT'], granularity: '1m' })
const bar = bars(market)

export default defineContract({
  name: 'crunch-template',
  feed: market,
  // The organizer's models, never ranked or paid. `flat` always answers 0; a model that is not better earns nothing.
  baselines: ['flat'],

  input: {
    schema: z.object({ subject: z.string(), closes: z.array(z.number()) }),
    window: bar(120),
    build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.close) }),
  },

  prediction: {
    schema: z.object({ value: z.number().min(-1).max(1) }),
    schedule: [
      { subject: 'BTCUSDT', every: bar(1), horizon: bar(5), step: bar(1) },
      { subject: 'ETHUSDT', every: bar(1), horizon: bar(5), step: bar(1) },
    ],
    timeout: '10s',
    missing: 'worst',
  },

  truth: {
    schema: z.object({ return: z.number() }),
    resolve: ({ entry, exit }) => ({ return: exit.values.close / entry.values.close - 1 }),
  },

  score: {
    schema: z.object({ value: z.number(), hit: z.boolean() }),
    compute: ({ output, truth }) => scorePrediction(output, truth.return),
  },

  snapshot: {
    every: bar(10),
    metrics: ['ic', 'hit_rate', 'max_drawdown', 'model_correlation'],
    signal: ({ output }) => output.value,
    actual: ({ truth }) => truth.return,
  },

  leaderboard: {
    value: 'value',
    windows: { recent: '24h', steady: '3d', anchor: '7d' },
    rankBy: 'recent',
    direction: 'desc',
    // A model is ranked once it has answered four fifths of all rounds in the window.
    newcomers: 'wait',
    minCoverage: 0.8,
  },

  // Pays models that answered at least half of the week's rounds and scored better than `flat`.
  checkpoint: { every: '7d', minCoverage: 0.5, emission: tiers({ payAbove: { baseline: 'flat' } }) },
})
