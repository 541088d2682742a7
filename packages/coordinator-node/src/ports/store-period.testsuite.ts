import { expect, it } from 'vitest'
import type { SnapshotTotals } from '../domain/snapshot.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  checkpoint,
  eth,
  filter,
  leaderboard,
  minute,
  model,
  periodRounds,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
  voidAll,
} from './store-samples.ts'

export function periodTests(context: StoreUnderTest): void {
  roundTests(context)
  closeTests(context)
  snapshotTests(context)
  checkpointTests(context)
}

function roundTests(context: StoreUnderTest): void {
  it('returns the first resolvable round from an instant on', async () => {
    const { store } = context
    expect(await store.firstResolvableAt(minute(0))).toBeNull()
    await prepare(store)
    await store.openRound(round(7))
    await answeredRound(store, round(3))
    expect(await store.firstResolvableAt(minute(0))).toBe(minute(8))
    expect(await store.firstResolvableAt(minute(8))).toBe(minute(8))
    expect(await store.firstResolvableAt(minute(8) + 1)).toBe(minute(12))
    expect(await store.firstResolvableAt(minute(13))).toBeNull()
  })

  it('reports whether any round before an instant is unresolved, answered or not', async () => {
    const { store } = context
    await prepare(store)
    expect(await store.hasUnresolvedRounds(minute(99))).toBe(false)
    await answeredRound(store, round(0))
    expect(await store.hasUnresolvedRounds(minute(5))).toBe(false)
    expect(await store.hasUnresolvedRounds(minute(5) + 1)).toBe(true)
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due))
    expect(await store.hasUnresolvedRounds(minute(99))).toBe(false)
    await store.openRound(round(1))
    expect(await store.hasUnresolvedRounds(minute(99))).toBe(true)
  })

  it('returns the results of a half-open period in order, without void rounds', async () => {
    const { store } = context
    await prepare(store)
    const voided = round(2, { scheduleKey: 'ETHUSDT-5m', scope: eth })
    for (const asked of [round(3), round(0), round(1), round(2), voided]) await answeredRound(store, asked, ['b', 'a'])
    await store.settleRounds(settleRequest({ now: minute(90), limit: 4 }), (due) =>
      due.round.id === voided.id ? voidAll(due) : resolveAll(due, { signal: 0.1 + 0.2, actual: null }),
    )
    const results = await store.periodResults(minute(5), minute(8))
    expect(results.map(({ roundId, modelId }) => [roundId, modelId])).toEqual(
      [round(0), round(1), round(2)].flatMap(({ id }) => [
        [id, 'a'],
        [id, 'b'],
      ]),
    )
    expect(results[0]).toEqual({
      modelId: 'a',
      roundId: round(0).id,
      performedAt: minute(0),
      resolvableAt: minute(5),
      missingValue: 0.1 + 0.2,
      predictionStatus: 'SCORED',
      blame: null,
      scoreKind: 'valid',
      value: { value: 1.25, hit: true },
      signal: 0.1 + 0.2,
      actual: null,
      contractVersion: 1,
    })
    expect(await store.periodResults(minute(8), minute(8))).toEqual([])
    expect(await store.periodResults(minute(8), minute(9))).toMatchObject([
      { predictionStatus: 'PENDING', scoreKind: null, value: null, signal: null },
      { predictionStatus: 'PENDING' },
    ])
  })
}

function closeTests(context: StoreUnderTest): void {
  it('closes a period once', async () => {
    const { store } = context
    await prepare(store)
    expect(await store.lastPeriodEnd()).toBeNull()
    expect(await store.latestLeaderboard()).toBeNull()
    const period = {
      snapshots: [snapshot('b', 10), snapshot('a', 10)],
      rounds: periodRounds(10),
      leaderboard: leaderboard(10),
    }
    expect(await store.closePeriod(period)).toBe(true)
    const changed = {
      rounds: periodRounds(10, { roundCount: 99 }),
      snapshots: [snapshot('a', 10, { scoreCount: 99 })],
      leaderboard: leaderboard(10, { rankBy: 'x' }),
    }
    expect(await store.closePeriod(changed)).toBe(false)
    expect(await store.snapshotReports(filter())).toEqual([snapshot('a', 10), snapshot('b', 10)])
    expect(await store.latestLeaderboard()).toEqual(leaderboard(10))
    expect(await store.periodsBetween(minute(0), minute(10))).toEqual([periodRounds(10)])
    expect(await store.lastPeriodEnd()).toBe(minute(10))
  })

  it('lets one of two workers close a period', async () => {
    await prepare(context.store)
    const other = await context.other()
    const period = {
      snapshots: [snapshot('a', 10), snapshot('b', 10)],
      rounds: periodRounds(10),
      leaderboard: leaderboard(10),
    }
    const closed = await Promise.all(
      [context.store, other, context.store, other].map((store) => store.closePeriod(period)),
    )
    expect(closed.filter((isFirst) => isFirst)).toHaveLength(1)
    expect(await context.store.snapshotReports(filter())).toHaveLength(2)
  })

  it('closes a period without models', async () => {
    const empty = {
      snapshots: [],
      rounds: periodRounds(10),
      leaderboard: leaderboard(10, { entries: [], direction: 'asc' }),
    }
    expect(await context.store.closePeriod(empty)).toBe(true)
    expect(await context.store.lastPeriodEnd()).toBe(minute(10))
    expect(await context.store.latestLeaderboard()).toEqual(empty.leaderboard)
  })

  it('refuses a second snapshot of a model and period, and then writes nothing', async () => {
    const { store } = context
    await prepare(store)
    const twice = [snapshot('a', 10), snapshot('a', 10, { id: 'other' })]
    await expect(
      store.closePeriod({ snapshots: twice, rounds: periodRounds(10), leaderboard: leaderboard(10) }),
    ).rejects.toThrow()
    const unknown = { snapshots: [snapshot('nobody', 10)], rounds: periodRounds(10), leaderboard: leaderboard(10) }
    await expect(store.closePeriod(unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await store.lastPeriodEnd()).toBeNull()
    expect(await store.snapshotReports(filter())).toEqual([])
  })

  it('returns the leaderboard with the newest asOf, not the one written last', async () => {
    const { store } = context
    await store.closePeriod({ snapshots: [], rounds: periodRounds(20), leaderboard: leaderboard(20) })
    await store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10) })
    expect((await store.latestLeaderboard())?.asOf).toBe(minute(20))
    expect((await store.latestLeaderboard(minute(20)))?.asOf).toBe(minute(20))
    expect((await store.latestLeaderboard(minute(20) - 1))?.asOf).toBe(minute(10))
    expect(await store.latestLeaderboard(minute(10) - 1)).toBeNull()
    expect(await store.lastPeriodEnd()).toBe(minute(20))
  })

  it('gives a leaderboard another version with each change of it or of a model by any connection', async () => {
    const { store } = context
    const other = await context.other()
    const close = (end: number) => () =>
      other.closePeriod({ snapshots: [], rounds: periodRounds(end), leaderboard: leaderboard(end) })
    const changes = [
      () => prepare(other),
      close(10),
      () => other.registerModels([model('a', { name: 'renamed' })], minute(1)),
      () => other.registerModels([model('c')], minute(1)),
      close(20),
    ]
    const seen = [await store.leaderboardVersion()]
    for (const change of changes) {
      await change()
      const version = await store.leaderboardVersion()
      expect(await store.leaderboardVersion()).toBe(version)
      seen.push(version)
    }
    expect(new Set(seen).size).toBe(changes.length + 1)
    // A board of the past keeps its version.
    const before = await store.leaderboardVersion(minute(15))
    expect(before).not.toBe(seen.at(-1))
    await close(30)()
    expect(await store.leaderboardVersion(minute(15))).toBe(before)
    expect(await store.leaderboardVersion(minute(25))).toBe(seen.at(-1))
  })
}

function snapshotTests(context: StoreUnderTest): void {
  async function threePeriods(): Promise<void> {
    await prepare(context.store)
    for (const end of [20, 10, 30]) {
      const snapshots = [snapshot('b', end), snapshot('a', end)]
      await context.store.closePeriod({ snapshots, rounds: periodRounds(end), leaderboard: leaderboard(end) })
    }
  }

  it('returns the snapshots within bounds, ordered by (periodEnd, modelId)', async () => {
    await threePeriods()
    const { store } = context
    const within = await store.snapshotsBetween(minute(0), minute(20))
    expect(within).toEqual([snapshot('a', 10), snapshot('b', 10), snapshot('a', 20), snapshot('b', 20)])
    expect(await store.snapshotsBetween(minute(0) + 1, minute(20))).toEqual(within.slice(2))
    expect(await store.snapshotsBetween(minute(0), minute(20) - 1)).toEqual(within.slice(0, 2))
    expect(await store.snapshotsBetween(minute(11), minute(19))).toEqual([])
  })

  it('returns the exact sums of the same snapshots for standings, with their newest metrics and versions', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'é"\\\u0000'])
    const tiny = { sum: -5e-324, count: 1 }
    const huge = { sum: Number.MAX_VALUE, count: 2 }
    const odd = snapshot('é"\\\u0000', 10, { sums: { value: tiny, '"x"': huge }, missed: huge, unasked: tiny })
    const first = [snapshot('a', 10), odd]
    const second = [
      snapshot('a', 20, { metrics: { ic: 5e-324 }, contractVersions: { 1: 1, 2: 2 }, sums: {} }),
      snapshot('b', 20, { contractVersions: {} }),
    ]
    for (const [end, snapshots] of [
      [10, first],
      [20, second],
    ] as const) {
      await store.closePeriod({ snapshots, rounds: periodRounds(end), leaderboard: leaderboard(end) })
    }
    const totals = (of: readonly SnapshotTotals[], field: string) =>
      of.map(({ modelId, periodEnd, dueCount, answeredCount, validCount, excusedCount, unasked, missed, sums }) => ({
        modelId,
        periodEnd,
        dueCount,
        answeredCount,
        validCount,
        excusedCount,
        unasked,
        missed,
        own: sums[field] ?? { sum: 0, count: 0 },
      }))
    const [from, to] = [minute(0), minute(20)]
    for (const field of ['value', '"x"', 'none']) {
      const read = await store.snapshotTotals(from, to, field)
      expect(totals(read, field)).toEqual(totals([...first, ...second], field))
    }
    expect(await store.snapshotTotals(from + 1, to, 'value')).toHaveLength(2)
    expect(await store.snapshotTotals(from, to - 1, 'value')).toHaveLength(2)
    expect(await store.latestMetrics(from, to)).toEqual(
      new Map([
        ['a', { ic: 5e-324 }],
        ['b', second[1]?.metrics],
        [odd.modelId, odd.metrics],
      ]),
    )
    expect(await store.latestMetrics(from, to - 1)).toEqual(
      new Map(first.map(({ modelId, metrics }) => [modelId, metrics])),
    )
    expect(await store.versionCounts(from, to)).toEqual({ snapshotCount: 4, contractVersions: { 1: 7, 2: 2 } })
    expect(await store.versionCounts(minute(11), minute(19))).toEqual({ snapshotCount: 0, contractVersions: {} })
  })

  it('returns the rounds of closed periods within bounds, oldest first', async () => {
    await threePeriods()
    const { store } = context
    const within = await store.periodsBetween(minute(0), minute(20))
    expect(within).toEqual([periodRounds(10), periodRounds(20)])
    expect(await store.periodsBetween(minute(0) + 1, minute(20))).toEqual(within.slice(1))
    expect(await store.periodsBetween(minute(0), minute(20) - 1)).toEqual(within.slice(0, 1))
    expect(await store.periodsBetween(minute(11), minute(19))).toEqual([])
    const none = periodRounds(40, { roundCount: 0, worst: { sum: 0, count: 0 } })
    await store.closePeriod({ rounds: none, snapshots: [], leaderboard: leaderboard(40) })
    expect(await store.periodsBetween(minute(30), minute(40))).toEqual([none])
  })

  it('returns the newest matching snapshots, oldest first', async () => {
    await threePeriods()
    const ends = async (overrides: Parameters<typeof filter>[0]): Promise<string[]> =>
      (await context.store.snapshotReports(filter(overrides))).map(
        ({ modelId, periodEnd }) => `${modelId}${(periodEnd - minute(0)) / 60_000}`,
      )
    expect(await ends({ limit: 3 })).toEqual(['b20', 'a30', 'b30'])
    expect(await ends({ modelIds: ['a'], limit: 2 })).toEqual(['a20', 'a30'])
    expect(await ends({ from: minute(10), to: minute(20), modelIds: ['b', 'a'] })).toEqual(['a10', 'b10', 'a20', 'b20'])
    expect(await ends({ from: minute(10) + 1, to: minute(20) - 1 })).toEqual([])
    expect(await ends({ limit: 0 })).toEqual([])
  })
}

function checkpointTests(context: StoreUnderTest): void {
  it('adds one checkpoint per period', async () => {
    const { store } = context
    expect(await store.lastCheckpointEnd()).toBeNull()
    expect(await store.addCheckpoint(checkpoint(60))).toBe(true)
    expect(await store.addCheckpoint(checkpoint(60, { snapshotCount: 0, id: 'other' }))).toBe(false)
    expect(await store.checkpoints({ limit: 9 })).toEqual([checkpoint(60)])
    expect(await store.lastCheckpointEnd()).toBe(minute(60))
  })

  it('stores the floor, and the reason if no model was paid', async () => {
    const { store } = context
    const unpaid = { rank: null, rewardFrac64: 0, unpaidReason: 'low_coverage', coverage: null } as const
    const entries = checkpoint(60).entries.map((entry) => ({ ...entry, ...unpaid }))
    const empty = checkpoint(60, { entries, floor: -(0.1 + 0.2), emissionReason: 'nobody_above_floor' })
    await store.addCheckpoint(empty)
    expect(await store.checkpoints({ limit: 9 })).toEqual([empty])
  })

  it('keeps what the contract refused, and who accepted that first', async () => {
    const { store } = context
    const refused = {
      what: 'scores',
      count: 2,
      of: 9,
      reason: 'score.compute failed at node/contract.ts:38: NaN',
    } as const
    const failed = checkpoint(60, { refusals: [refused] })
    await store.addCheckpoint(failed)
    expect(await store.checkpoints({ limit: 9 })).toEqual([failed])
    const accepted = { ...failed, acknowledged: { by: 'Ada', at: minute(70) } }
    expect(await store.acknowledgeCheckpoint(failed.id, { by: 'Ada', at: minute(70) })).toEqual(accepted)
    expect(await store.acknowledgeCheckpoint(failed.id, { by: 'Bob', at: minute(80) })).toEqual(accepted)
    expect(await store.checkpoints({ limit: 9 })).toEqual([accepted])
    await expect(store.acknowledgeCheckpoint('other', { by: 'Ada', at: minute(70) })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('moves a checkpoint one status at a time, with its transaction, and keeps each step', async () => {
    const { store } = context
    await store.addCheckpoint(checkpoint(60))
    const { id } = checkpoint(60)
    const step = { transactionId: null, isVerified: null, winners: [] }
    expect(await store.moveCheckpoint(id, { ...step, to: 'CLAIMABLE', at: minute(69) })).toBeNull()
    expect(await store.moveCheckpoint('other', { ...step, to: 'SUBMITTED', at: minute(69) })).toBeNull()
    expect(await store.checkpoint(id)).toEqual(checkpoint(60))
    const paid = { modelId: 'a', modelName: 'A', cruncherId: 'c', cruncherName: 'C', rewardFrac64: 1_000_000_000 }
    const winners = [{ ...paid, wallet: 'wallet', onchainIndex: 3 }]
    const submit = { to: 'SUBMITTED', at: minute(70), transactionId: 'tx', isVerified: true, winners } as const
    const submitted = {
      ...checkpoint(60),
      ...{ status: 'SUBMITTED', transactionId: 'tx', submittedAt: minute(70), moves: [submit] },
    }
    expect(await store.moveCheckpoint(id, submit)).toEqual(submitted)
    expect(await store.moveCheckpoint(id, { ...submit, transactionId: 'again' })).toBeNull()
    const claim = { ...step, to: 'CLAIMABLE', at: minute(80) } as const
    const pay = { ...step, to: 'PAID', at: minute(90) } as const
    expect(await store.moveCheckpoint(id, claim)).toEqual({ ...submitted, status: 'CLAIMABLE', moves: [submit, claim] })
    await store.moveCheckpoint(id, pay)
    expect(await store.moveCheckpoint(id, pay)).toBeNull()
    const done = { ...submitted, status: 'PAID', moves: [submit, claim, pay] }
    expect(await store.checkpoint(id)).toEqual(done)
    expect(await store.checkpoints({ limit: 9 })).toEqual([done])
    expect(await store.checkpoint('other')).toBeNull()
  })

  it('gives a transaction to one checkpoint, and a step to one of several callers', async () => {
    const { store } = context
    const other = await context.other()
    for (const end of [60, 120]) await store.addCheckpoint(checkpoint(end))
    const submit = { to: 'SUBMITTED', at: minute(130), transactionId: 'tx', isVerified: null, winners: [] } as const
    const calls = [60, 120, 60, 120].map((end, index) =>
      (index % 2 === 0 ? store : other).moveCheckpoint(checkpoint(end).id, submit),
    )
    expect((await Promise.all(calls)).filter((moved) => moved !== null)).toHaveLength(1)
    expect(await store.checkpoints({ status: 'PENDING', limit: 9 })).toHaveLength(1)
  })

  it('lets one of two workers add a checkpoint', async () => {
    const other = await context.other()
    const added = await Promise.all([context.store, other, other].map((store) => store.addCheckpoint(checkpoint(60))))
    expect(added.filter((isFirst) => isFirst)).toHaveLength(1)
  })

  it('returns checkpoints newest first, by status and limit', async () => {
    const { store } = context
    const onChain = { crunch: 'c', computeProvider: 'p', dataProvider: 'd' }
    const submitted = { status: 'SUBMITTED', transactionId: 'tx', submittedAt: minute(130) } as const
    const second = checkpoint(120, { ...onChain, ...submitted })
    for (const added of [second, checkpoint(180), checkpoint(60)]) await store.addCheckpoint(added)
    expect(await store.checkpoints({ limit: 2 })).toEqual([checkpoint(180), second])
    expect(await store.checkpoints({ status: 'PENDING', limit: 9 })).toEqual([checkpoint(180), checkpoint(60)])
    expect(await store.checkpoints({ status: 'SUBMITTED', limit: 9 })).toEqual([second])
    expect(await store.checkpoints({ status: 'PAID', limit: 9 })).toEqual([])
    // Periods are half-open.
    const { periodStart, periodEnd } = second
    for (const [at, wanted] of [
      [periodStart, true],
      [periodEnd - 1, true],
      [periodEnd, false],
    ] as const) {
      const ids = (await store.checkpoints({ at, limit: 9 })).map(({ id }) => id)
      expect(ids.includes(second.id)).toBe(wanted)
    }
    expect(await store.lastCheckpointEnd()).toBe(minute(180))
  })
}
