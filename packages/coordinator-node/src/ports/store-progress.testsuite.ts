import { expect, it } from 'vitest'
import type { Round } from '../domain/round.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  btc,
  candle,
  checkpoint,
  leaderboard,
  minute,
  periodRounds,
  prediction,
  prepare,
  round,
  settleRequest,
  voidAll,
} from './store-samples.ts'

export function progressTests(context: StoreUnderTest): void {
  heartbeatTests(context)

  it('knows of nothing at the beginning', async () => {
    expect(await context.store.pipelineProgress(minute(60))).toEqual({
      heartbeats: [],
      firstModelAt: null,
      lastRoundTimes: new Map(),
      openRounds: [],
      recentRounds: [],
      lastPeriodEnd: null,
      firstInOpenPeriod: null,
      lastCheckpointEnd: null,
      firstInOpenCheckpoint: null,
    })
  })

  it('tells rounds that have no answers, are due, can be settled and have expired', async () => {
    const { store } = context
    await prepare(store)
    const rounds = [0, 1, 2, 3].map((at) => round(at, { expiresAt: minute(30 + at) }))
    for (const one of rounds) await store.openRound(one)
    const [first, second, third, fourth] = rounds as [Round, Round, Round, Round]
    for (const one of [first, second, third]) await store.recordAnswers(one.id, one.performedAt, [prediction(one, 'a')])
    const at = async (now: number) => (await store.pipelineProgress(now)).openRounds
    const base = {
      scheduleKey: first.scheduleKey,
      scope: btc,
      unansweredCount: 1,
      firstUnansweredAt: fourth.performedAt,
    }
    expect(await at(first.resolvableAt - 1)).toEqual([
      { ...base, dueCount: 0, firstDueAt: null, ripeCount: 0, firstRipeAt: null, expiredCount: 0 },
    ])
    // Due by the clock; nothing is known of their truth.
    expect(await at(second.resolvableAt)).toEqual([
      { ...base, dueCount: 2, firstDueAt: first.resolvableAt, ripeCount: 0, firstRipeAt: null, expiredCount: 0 },
    ])
    await store.appendRecords([candle(0), candle(4)])
    expect(await at(second.resolvableAt)).toMatchObject([{ ripeCount: 1, firstRipeAt: first.resolvableAt }])
    expect(await at(second.expiresAt)).toMatchObject([{ ripeCount: 2, expiredCount: 2, dueCount: expect.any(Number) }])
    await store.settleRounds(settleRequest({ now: first.resolvableAt }), (due) => voidAll(due))
    expect(await at(second.expiresAt)).toMatchObject([{ ripeCount: 1, firstRipeAt: second.resolvableAt }])
    expect((await store.pipelineProgress(second.expiresAt)).lastRoundTimes).toEqual(
      new Map([[first.scheduleKey, fourth.performedAt]]),
    )
  })

  it('tells of the newest three answered rounds how many answers are valid, and why the others are missing', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'c'])
    const rounds = [0, 1, 2, 3, 4, 5].map((at) => round(at))
    for (const one of rounds) await store.openRound(one)
    const absent = (one: Round, modelId: string, reason: string) =>
      prediction(one, modelId, { status: 'ABSENT', output: null, reason, blame: 'coordinator' })
    const [old, first, second, gone, third] = rounds as [Round, Round, Round, Round, Round]
    for (const one of [old, first, gone]) {
      await store.recordAnswers(one.id, one.performedAt, [prediction(one, 'a'), absent(one, 'b', 'timeout')])
    }
    await store.recordAnswers(second.id, second.performedAt, [])
    const reasons = { a: 'timeout', b: 'busy', c: 'timeout' }
    const silent = Object.entries(reasons).map(([modelId, reason]) => absent(third, modelId, reason))
    await store.recordAnswers(third.id, third.performedAt, silent)
    await store.appendRecords([candle(0), candle(7)])
    await store.settleRounds(settleRequest({ now: gone.resolvableAt }), (due) =>
      due.round.id === gone.id ? voidAll(due) : { kind: 'wait' },
    )
    const row = (one: Round, rowCount: number, validCount: number, commonReason: string | null) => ({
      ...{ scheduleKey: one.scheduleKey, performedAt: one.performedAt },
      ...{ rowCount, validCount, commonReason },
    })
    expect((await store.pipelineProgress(third.performedAt)).recentRounds).toEqual([
      row(first, 2, 1, 'timeout'),
      row(second, 0, 0, null),
      row(third, 3, 0, 'timeout'),
    ])
  })

  it('takes no notice of models that are retired', async () => {
    const { store } = context
    await prepare(store, ['a'])
    expect((await store.pipelineProgress(minute(1))).firstModelAt).toBe(minute(0))
    await store.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(1))
    expect((await store.pipelineProgress(minute(2))).firstModelAt).toBeNull()
    await store.endRetirements(['a'], minute(3))
    expect((await store.pipelineProgress(minute(4))).firstModelAt).toBe(minute(0))
  })

  it('tells how far periods and checkpoints have come, and which round is the first behind them', async () => {
    const { store } = context
    await prepare(store)
    const rounds = [0, 10, 20].map((at) => round(at))
    for (const one of rounds) await store.openRound(one)
    const [first, second] = rounds as [Round, Round]
    const ends = async () => {
      const {
        heartbeats: _beats,
        openRounds: _rounds,
        recentRounds: _recent,
        lastRoundTimes: _times,
        ...rest
      } = await store.pipelineProgress(0)
      return rest
    }
    expect(await ends()).toMatchObject({
      firstModelAt: expect.any(Number),
      lastPeriodEnd: null,
      firstInOpenPeriod: first.resolvableAt,
      lastCheckpointEnd: null,
      firstInOpenCheckpoint: first.resolvableAt,
    })
    await store.closePeriod({ snapshots: [], rounds: periodRounds(15), leaderboard: leaderboard(15) })
    await store.addCheckpoint(checkpoint(6))
    expect(await ends()).toMatchObject({
      lastPeriodEnd: second.resolvableAt,
      firstInOpenPeriod: second.resolvableAt,
      lastCheckpointEnd: minute(6),
      firstInOpenCheckpoint: second.resolvableAt,
    })
    await store.closePeriod({ snapshots: [], rounds: periodRounds(26), leaderboard: leaderboard(26) })
    expect(await ends()).toMatchObject({ firstInOpenPeriod: null })
  })
}

function heartbeatTests(context: StoreUnderTest): void {
  it("keeps each worker's newest sign of life, and when it last finished its work", async () => {
    const other = await context.other()
    await context.store.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: false, problem: null })
    await context.store.beat({ worker: 'checkpoint', nextWithinMs: 0, hasWorked: true, problem: null })
    const read = async () => (await other.pipelineProgress(0)).heartbeats
    const [checkpointBeat, scoreBeat] = await read()
    expect(checkpointBeat).toMatchObject({ worker: 'checkpoint', sinceWorkMs: expect.any(Number) })
    expect(checkpointBeat?.overdueMs).toBeGreaterThanOrEqual(-1)
    expect(scoreBeat).toMatchObject({ worker: 'score', sinceWorkMs: null })
    expect(scoreBeat?.overdueMs).toBeLessThan(0)
    expect(scoreBeat?.silentMs).toBeLessThan(60_000)
    await context.store.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: true, problem: null })
    await other.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: false, problem: null })
    expect((await read())[1]).toMatchObject({ worker: 'score', sinceWorkMs: expect.any(Number), problem: null })
    await other.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: false, problem: 'it threw \0' })
    expect((await read())[1]).toMatchObject({ sinceWorkMs: expect.any(Number), problem: 'it threw \0' })
    await other.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: true, problem: null })
    expect((await read())[1]?.problem).toBeNull()
  })

  it('tells the time of its own clock, if it has one', async () => {
    const at = await context.store.storeTime()
    if (at !== null) expect(Math.abs(at - Date.now())).toBeLessThan(10_000)
  })
}
