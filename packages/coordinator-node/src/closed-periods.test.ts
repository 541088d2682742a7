import { expect, test } from 'vitest'
import { candles, openCompetition } from '../test/competition.ts'
import { candle, leaderboard, minute, periodRounds } from './ports/store-samples.ts'

test('a round that would end in a closed period is refused, counts as missed, and is logged once', async () => {
  const { store, lines, drive } = await openCompetition()
  await drive(candle(0))
  const closed = { snapshots: [], rounds: periodRounds(9), leaderboard: leaderboard(9) }
  await store.closePeriod(closed)
  await drive(...candles(1, 9))
  const { rounds, predictions } = store.dump()
  expect(rounds.map(({ performedAt, missedBefore }) => [(performedAt - minute(0)) / 60_000, missedBefore])).toEqual([
    [1, 0],
    [4, 2],
    ...[5, 6, 7, 8, 9, 10].map((at) => [at, 0]),
  ])
  expect(predictions.filter(({ performedAt }) => performedAt > minute(1) && performedAt < minute(4))).toEqual([])
  expect(lines.filter(({ message }) => message.startsWith('a round was refused'))).toMatchObject([
    { level: 'error', fields: { reason: expect.stringContaining('is closed') } },
  ])
  await store.closePeriod({ snapshots: [], rounds: periodRounds(20), leaderboard: leaderboard(20) })
  await drive(candle(10))
  expect(lines.filter(({ message }) => message.startsWith('a round was refused'))).toHaveLength(2)
})
