import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { backtest } from '../src/backtest.ts'
import { Climatology, Overconfident, Persistence, SevenDayMean, Trend } from '../src/index.ts'

test('the whole competition over the recording ranks the examples and pays the full reward', async () => {
  const { leaderboard, checkpoints, counts } = await backtest({
    recordings: [fileURLToPath(new URL('../../node/recordings/weather.csv', import.meta.url))],
    models: {
      persistence: new Persistence(),
      climatology: new Climatology(),
      'seven-day-mean': new SevenDayMean(),
      trend: new Trend(),
      overconfident: new Overconfident(),
    },
  })
  expect(counts.rounds).toBe(2 * 1_461)
  expect(counts.voidRounds).toBe(0)
  const ranked = leaderboard?.entries.map((entry) => entry.modelId) ?? []
  expect(ranked.length).toBe(5)
  expect(ranked.indexOf('persistence')).toBeLessThan(ranked.indexOf('trend'))
  expect(ranked.indexOf('seven-day-mean')).toBeLessThan(ranked.indexOf('overconfident'))
  expect(checkpoints.length).toBeGreaterThanOrEqual(3)
  for (const { entries } of checkpoints) {
    expect(entries.reduce((sum, entry) => sum + entry.rewardFrac64, 0)).toBe(1_000_000_000)
  }
}, 120_000)
