import { expect, test } from 'vitest'
import { candles, createOracle, createTrend, openCompetition, steady } from '../test/competition.ts'
import type { ContractChanges } from '../test/sample-contract.ts'
import type { AggregateContext, RankContext } from './contract/ranking/ranking-options.ts'
import type { Checkpoint } from './domain/checkpoint.ts'
import type { Leaderboard } from './domain/leaderboard.ts'

// Rounds every minute, five minutes long; snapshots every 10 minutes, windows of 20 and 60, checkpoints every 30.

const mean = ({ scores }: AggregateContext) => scores.reduce((sum, { value }) => sum + value, 0) / scores.length

/** Models that answer, fail, come late, and are retired for a while. */
async function runHours(changes: ContractChanges, settlesOften = true) {
  let running = await openCompetition({
    changes,
    models: { a: createOracle(0.5), b: steady(-0.5), c: createTrend(0.3), d: { predict: () => Math.PI } },
  })
  const { store } = running
  const go = async (from: number, to: number) => {
    for (const candle of candles(from, to)) {
      await running.drive(candle)
      if (!settlesOften) continue
      await running.pipeline.settle()
      await running.pipeline.checkpoint()
    }
  }
  await go(0, 33)
  running.runner.setRetirements({ b: 'removed' })
  running.runner.connect({ a: createOracle(0.5, 34), c: createTrend(0.3), e: createOracle(0.2, 34) })
  await go(34, 58)
  running.runner.setRetirements({})
  // What was in memory is gone: the windows are read from the store.
  running = await running.restart({ a: createOracle(0.5, 59), b: steady(-0.5), e: createOracle(0.2, 59) })
  await go(59, 130)
  await running.pipeline.settle()
  await running.pipeline.checkpoint()
  const { leaderboards, checkpoints } = store.dump()
  return { leaderboards, checkpoints, competition: running }
}

/** Numbers that may differ in their last bits, since they were added in another order. */
function rounded(results: readonly (Leaderboard | Checkpoint)[]): unknown {
  return JSON.parse(JSON.stringify(results), (key, value) =>
    typeof value === 'number' && key !== 'rank' ? Number(value.toPrecision(9)) : value,
  )
}

test.each(['wait', 'worst', 'own'])(
  'an aggregate that is the mean gives every board and checkpoint of the default, missing answers and newcomers included: %s',
  async (newcomers) => {
    const usual = await runHours({ leaderboard: { newcomers } }, false)
    const own = await runHours({ leaderboard: { newcomers, aggregate: mean } }, false)
    expect(usual.leaderboards).toHaveLength(13)
    expect(usual.checkpoints).toHaveLength(4)
    expect(rounded(own.leaderboards)).toEqual(rounded(usual.leaderboards))
    expect(rounded(own.checkpoints)).toEqual(rounded(usual.checkpoints))
    expect(usual.leaderboards.at(-1)?.entries.some(({ modelId, rank }) => modelId === 'e' && rank !== null)).toBe(true)
  },
)

test('an aggregate gets the scores of [start, end) on the horizons, oldest first, with those of missing answers', async () => {
  const seen: AggregateContext[] = []
  const aggregate = (context: AggregateContext) => {
    seen.push(context)
    return mean(context)
  }
  const { leaderboards, checkpoints } = await runHours({ leaderboard: { aggregate } }, false)
  for (const { start, end, scores } of seen) {
    expect(scores.every(Object.isFrozen)).toBe(true)
    const instants = scores.map(({ resolvableAt }) => resolvableAt)
    expect(instants).toEqual(instants.toSorted((left, right) => left - right))
    expect(Math.min(...instants)).toBeGreaterThanOrEqual(start)
    expect(Math.max(...instants)).toBeLessThan(end)
  }
  const lengths = new Set(seen.map(({ start, end }) => (end - start) / 60_000))
  expect([...lengths].sort()).toEqual([20, 30, 60])
  expect(seen.flatMap(({ scores }) => scores.map(({ kind }) => kind))).toContain('imputed')
  // However often it settles, and whatever it kept in memory.
  const often = await runHours({ leaderboard: { aggregate: mean } })
  expect([leaderboards, checkpoints.map(({ entries }) => entries)]).toEqual([
    often.leaderboards,
    often.checkpoints.map(({ entries }) => entries),
  ])
})

test('an aggregate gets the same scores after old results were deleted', async () => {
  const run = async (prunes: boolean) => {
    let running = await openCompetition({ changes: { leaderboard: { aggregate: mean } } })
    const { store } = running
    for (const from of [0, 40, 80, 120]) {
      await running.drive(...candles(from, from + 39))
      await running.pipeline.settle()
      await running.pipeline.checkpoint()
      const request = { before: Number.POSITIVE_INFINITY, windowMs: 3_600_000, limit: 1_000 }
      if (prunes) await Promise.all([store.pruneRounds(request), store.prunePeriods(request)])
      running = await running.restart()
    }
    const { rounds, leaderboards, checkpoints } = store.dump()
    return { roundCount: rounds.length, board: leaderboards.at(-1), payout: checkpoints.at(-1)?.entries }
  }
  const [kept, pruned] = [await run(false), await run(true)]
  expect(pruned.roundCount).toBeLessThan(kept.roundCount)
  expect({ ...pruned, roundCount: 0 }).toEqual({ ...kept, roundCount: 0 })
})

test('a board and a payout follow the order of the contract, and its windows reach back before no checkpoint', async () => {
  const asked: RankContext['models'][] = []
  // The worst first.
  const rank = ({ models }: RankContext) => {
    asked.push(models)
    return models.toSorted((left, right) => left.value - right.value).map(({ modelId }) => modelId)
  }
  const { leaderboards, checkpoints } = await runHours({ leaderboard: { newcomers: 'own', rank } }, false)
  const board = leaderboards.at(-1)?.entries.filter((entry) => entry.rank !== null) ?? []
  expect(board.map((entry) => entry.rank)).toEqual([1, 2, 3])
  expect(board.map(({ windows }) => windows.recent)).toEqual(
    board.map(({ windows }) => windows.recent).toSorted((left, right) => Number(left) - Number(right)),
  )
  const paid = checkpoints.at(-1)?.entries.filter((entry) => entry.rank !== null) ?? []
  expect(paid.map((entry) => entry.modelId)).toEqual(board.map(({ modelId }) => modelId))
  expect(paid.map((entry) => entry.rewardFrac64)).toEqual(
    paid.map((entry) => entry.rewardFrac64).toSorted((left, right) => right - left),
  )
  // Of a checkpoint of 30 minutes, the window of an hour is the whole.
  const atCheckpoints = asked.slice(-checkpoints.length).flat()
  expect(atCheckpoints.length).toBeGreaterThan(checkpoints.length)
  for (const { value, windows } of atCheckpoints) expect(windows.long).toBe(value)
})

test('a model without a value by the aggregate is neither ranked nor paid, and other models are not affected', async () => {
  const first = ({ scores, end }: AggregateContext) => (scores.length < 15 ? null : end)
  const changes = { leaderboard: { newcomers: 'own', aggregate: first }, snapshot: { every: '10m' } }
  const { drive, pipeline, store } = await openCompetition({ changes, models: { a: steady(0.5) } })
  await drive(...candles(0, 30))
  await pipeline.settle()
  const [early, , later] = store.dump().leaderboards
  expect(early?.entries).toMatchObject([{ rank: null, unrankedReason: 'no_value', windows: { recent: null } }])
  expect(later?.entries).toMatchObject([{ rank: 1, unrankedReason: null }])
})

test('a function that throws keeps the board of before; rounds are still scored, and the board goes on once it is mended', async () => {
  const code = { isBroken: false }
  const rank = ({ models }: RankContext) => {
    if (code.isBroken) throw new Error('no such window')
    return models.map(({ modelId }) => modelId)
  }
  const { drive, pipeline, store } = await openCompetition({ changes: { leaderboard: { newcomers: 'own', rank } } })
  await drive(...candles(0, 20))
  await pipeline.settle()
  code.isBroken = true
  await drive(...candles(21, 40))
  const before = [...store.dump().leaderboards]
  await expect(pipeline.settle()).rejects.toThrow(
    /leaderboard\.rank failed at .*own-ranking\.test\.ts:\d+: no such window/,
  )
  await expect(pipeline.checkpoint()).resolves.toBe(0)
  expect(store.dump().leaderboards).toEqual(before)
  expect(store.dump().rounds.filter(({ status }) => status === 'RESOLVED')).toHaveLength(36)
  code.isBroken = false
  await pipeline.settle()
  expect(store.dump().leaderboards.length).toBeGreaterThan(before.length)
})
