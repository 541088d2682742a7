import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { backtest } from '../src/backtest.ts'
import { LastValue, RecentMean } from '../src/index.ts'

test('the whole competition over the recording ranks the examples', async () => {
  const { leaderboard, checkpoints, counts } = await backtest({
    recordings: [fileURLToPath(new URL('../../node/recordings/values.csv', import.meta.url))],
    models: { 'last-value': new LastValue(), 'recent-mean': new RecentMean() },
  })
  expect(counts.rounds).toBeGreaterThan(1_000)
  expect(counts.voidRounds).toBe(0)
  expect(leaderboard?.entries.map((entry) => entry.modelId).sort()).toEqual(['last-value', 'recent-mean'])
  expect(checkpoints.length).toBeGreaterThan(1)
}, 120_000)
