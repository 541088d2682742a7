import { defineContract, series, tiers } from '@crunch/coordinator-node'
import { z } from 'zod'
import type { AnyContract } from '../src/contract/crunch-contract.ts'

/** Candles with only a close price, in the scopes of the store's samples. */
export const market = series({
  source: 'binance',
  subjects: ['BTCUSDT', 'ETHUSDT'],
  kind: 'candle',
  granularity: '1m',
  values: z.object({ close: z.number() }),
})

/** The sample contract: predict BTC's return over five minutes, once a minute. */
export const sampleContract = defineContract({
  name: 'next-move',
  feed: market,
  input: {
    schema: z.object({ subject: z.string(), closes: z.array(z.number()) }),
    window: '10m',
    build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.close) }),
  },
  prediction: {
    schema: z.object({ value: z.number().min(-1).max(1) }),
    schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m', step: '1m' }],
    timeout: '1s',
  },
  truth: {
    schema: z.object({ return: z.number() }),
    resolve: ({ entry, exit }) => ({ return: exit.values.close / entry.values.close - 1 }),
  },
  score: {
    schema: z.object({ value: z.number(), hit: z.boolean() }),
    compute: ({ output, truth }) => ({
      value: output.value * truth.return * 10_000,
      hit: Math.sign(output.value) === Math.sign(truth.return),
    }),
  },
  snapshot: {
    every: '10m',
    metrics: ['ic', 'hit_rate'],
    signal: ({ output }) => output.value,
    actual: ({ truth }) => truth.return,
  },
  leaderboard: { value: 'value', windows: { recent: '20m', long: '1h' }, rankBy: 'recent', direction: 'desc' },
  checkpoint: { every: '30m', emission: tiers() },
})

/** Changes to the sample contract, group by group. */
export type ContractChanges = { readonly [Group in keyof AnyContract]?: object | string }

export function changedContract(changes: ContractChanges): AnyContract {
  const contract = sampleContract as unknown as Record<string, unknown>
  const groups = Object.entries(changes).map(([group, change]) => [
    group,
    typeof change === 'string' || Array.isArray(change) ? change : { ...(contract[group] as object), ...change },
  ])
  return { ...contract, ...Object.fromEntries(groups) } as unknown as AnyContract
}
