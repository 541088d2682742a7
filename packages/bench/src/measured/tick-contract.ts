import { defineContract, ticks } from '@crunch/coordinator-node'
import realtime from '../../../../templates/node/contract.ts'

/** Milliseconds between the instants at which a round may open. */
export const gridMs = 10

export const scope = { source: 'bench', subject: 'BTCUSDT', kind: 'tick', granularity: '1s' } as const

/** The realtime contract on more frequent prices: models get 120 prices, as they would get 120 candles. */
export const tickContract = defineContract({
  name: realtime.name,
  feed: ticks({ source: scope.source, subjects: [scope.subject], granularity: scope.granularity }),
  input: {
    schema: realtime.input.schema,
    window: '12s',
    build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.price) }),
  },
  prediction: {
    ...realtime.prediction,
    schedule: [{ subject: scope.subject, every: `${gridMs}ms`, horizon: '1m', step: '1s' }],
  },
  truth: {
    schema: realtime.truth.schema,
    resolve: ({ entry, exit }) => ({ return: exit.values.price / entry.values.price - 1 }),
  },
  score: realtime.score,
  snapshot: realtime.snapshot,
  leaderboard: realtime.leaderboard,
  checkpoint: realtime.checkpoint,
})
