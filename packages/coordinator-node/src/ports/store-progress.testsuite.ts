import { expect, it } from 'vitest'
import type { Round } from '../domain/round.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  btc,
  candle,
  checkpoint,
  leaderboard,
  minute,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
  voidAll,
} from './store-samples.ts'
import type { DueRound, RoundSettlement } from './store-settlement.ts'

export function progressTests(context: StoreUnderTest): void {
  heartbeatTests(context)
  refusalTests(context)
  runTests(context)

  it('is empty at the beginning', async () => {
    expect(await context.store.pipelineProgress(minute(60))).toEqual({
      heartbeats: [],
      firstModelAt: null,
      lastRoundTimes: new Map(),
      openRounds: [],
      recentRounds: [],
      refusals: [],
      lastPeriodEnd: null,
      firstInOpenPeriod: null,
      lastCheckpointEnd: null,
      firstInOpenCheckpoint: null,
    })
  })

  it('counts rounds that have no answers, are due, can be settled, or have expired', async () => {
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
    // Due by the clock, without a known truth.
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

  it('reports the valid answers of the newest three answered rounds, and the reasons of the others', async () => {
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

  it('ignores retired models', async () => {
    const { store } = context
    await prepare(store, ['a'])
    expect((await store.pipelineProgress(minute(1))).firstModelAt).toBe(minute(0))
    await store.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(1))
    expect((await store.pipelineProgress(minute(2))).firstModelAt).toBeNull()
    await store.endRetirements(['a'], minute(3))
    expect((await store.pipelineProgress(minute(4))).firstModelAt).toBe(minute(0))
  })

  it('reports the last closed period and checkpoint, and the first round after each', async () => {
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
        refusals: _refusals,
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

function refusalTests(context: StoreUnderTest): void {
  const scheduleKey = 'BTCUSDT-5m'
  const standing = async () => (await context.store.pipelineProgress(minute(99))).refusals

  /** Settles the round of a minute with the given result. */
  async function settled(count: number, decide: (due: DueRound) => RoundSettlement): Promise<void> {
    const { store } = context
    await answeredRound(store, round(count))
    await store.appendRecords([candle(count), candle(count + 5)])
    await store.settleRounds(settleRequest({ now: minute(count + 5) }), decide)
  }
  const scored = (...reasons: readonly (string | null)[]) => {
    return (due: DueRound): RoundSettlement => {
      const all = resolveAll(due) as Extract<RoundSettlement, { kind: 'resolved' }>
      const scores = all.scores.map((one, index) => ({ ...one, reason: reasons[index] ?? null }))
      return { ...all, scores }
    }
  }
  const wait = (reason: string, isRefusal: boolean) => (): RoundSettlement => ({ kind: 'wait', reason, isRefusal })

  it('reports scores that failed since the last round without a failure, until a round is scored again', async () => {
    await prepare(context.store)
    await settled(0, scored('an old one'))
    expect(await standing()).toMatchObject([{ what: 'scores', count: 1, of: 2 }])
    await settled(1, scored())
    expect(await standing()).toEqual([])
    await settled(2, scored(null, 'the first'))
    // A round without answers and one without a truth do not show whether the scorer works.
    await settled(3, (due) => ({ ...(scored()(due) as Extract<RoundSettlement, { kind: 'resolved' }>), scores: [] }))
    await settled(4, (due) => voidAll(due))
    await settled(5, scored('the second', 'the third'))
    const refused = { what: 'scores', count: 3, of: 4, reason: 'the first' }
    expect(await standing()).toEqual([{ ...refused, scheduleKey, since: round(2).resolvableAt }])
    const other = await context.other()
    expect((await other.pipelineProgress(0)).refusals).toHaveLength(1)
    await settled(6, scored())
    expect(await standing()).toEqual([])
    const before = round(6).resolvableAt
    expect(await context.store.refusalsBetween(round(2).resolvableAt, before)).toEqual([{ ...refused, of: 4 }])
    expect(await context.store.refusalsBetween(minute(0), before + 1)).toEqual([
      { ...refused, count: 4, of: 10, reason: 'an old one' },
    ])
    expect(await context.store.refusalsBetween(before, before + 1)).toEqual([])
  })

  it('reports truths that the contract refuses, both while their rounds wait and when they are void', async () => {
    await prepare(context.store)
    await settled(0, wait('the data are missing', false))
    expect(await standing()).toEqual([])
    await settled(1, wait('truth.resolve failed', true))
    const refused = { what: 'truths', of: null, reason: 'truth.resolve failed', scheduleKey }
    // The first one is refused as well now.
    expect(await standing()).toEqual([{ ...refused, count: 2, since: round(0).resolvableAt }])
    const { store } = context
    await store.settleRounds(settleRequest({ now: minute(9) }), (due) =>
      due.round.performedAt === minute(0) ? { ...voidAll(due), isRefusal: true } : wait('no longer', false)(),
    )
    const first = { ...refused, count: 1, reason: 'truth_unavailable', since: round(0).resolvableAt }
    expect(await standing()).toEqual([first])
    expect(await store.refusalsBetween(minute(0), minute(99))).toEqual([
      { what: 'truths', count: 1, of: 2, reason: 'truth_unavailable' },
    ])
    await store.settleRounds(settleRequest({ now: minute(9) }), scored('a failed score comes with a truth'))
    expect(await standing()).toMatchObject([{ what: 'scores' }])
  })

  it('reports inputs that the contract refuses until a round of their schedule opens', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    await store.noteRefusedInput([scheduleKey], minute(1), 'the first')
    await store.noteRefusedInput([scheduleKey, 'ETHUSDT-5m'], minute(2), 'the second')
    await store.noteRefusedInput([scheduleKey], minute(2), 'told twice')
    const inputs = { what: 'inputs', of: null }
    const eth5m = { ...inputs, scheduleKey: 'ETHUSDT-5m', count: 1, since: minute(2), reason: 'the second' }
    expect(await standing()).toEqual([
      { ...inputs, scheduleKey, count: 2, since: minute(1), reason: 'the first' },
      eth5m,
    ])
    await store.openRound(round(3))
    expect(await standing()).toEqual([eth5m])
    await store.noteRefusedInput([scheduleKey], minute(4), 'again')
    expect(await standing()).toEqual([{ ...inputs, scheduleKey, count: 1, since: minute(4), reason: 'again' }, eth5m])
  })
}

function runTests(context: StoreUnderTest): void {
  it('counts the outcomes of all rounds, with the first reasons', async () => {
    const { store } = context
    const none = { modelCount: 0, roundCount: 0, answeredCount: 0, firstRow: null, voidCount: 0, voidReason: null }
    const unscored = { scoreCount: 0, validCount: 0, failedCount: 0, failedReason: null }
    expect(await store.runFacts()).toEqual({ ...none, ...unscored })
    await prepare(store, ['a', 'b'])
    const rounds = [0, 1, 2].map((at) => round(at))
    for (const one of rounds) await answeredRound(store, one)
    const silent = round(3)
    await store.openRound(silent)
    const absent = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'too slow' } as const
    await store.recordAnswers(silent.id, silent.performedAt, [prediction(silent, 'a', absent)])
    await store.appendRecords([candle(0), candle(7)])
    await store.settleRounds(settleRequest({ now: minute(7) }), (due) => {
      if (due.round.id === rounds[1]?.id) return voidAll(due, 'no such field')
      return resolveAll(due, due.round.id === rounds[0]?.id ? { kind: 'failed', reason: 'NaN' } : {})
    })
    expect(await store.runFacts()).toEqual({
      ...{ modelCount: 2, roundCount: 4, answeredCount: 4, voidCount: 1, voidReason: 'no such field' },
      firstRow: { modelId: 'a', reason: null, detail: null },
      ...{ scoreCount: 4, validCount: 2, failedCount: 2, failedReason: 'NaN' },
    })
  })
}

function heartbeatTests(context: StoreUnderTest): void {
  it("stores each worker's newest heartbeat, and when it last finished its work", async () => {
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

  it('returns the time of its own clock, if it has one', async () => {
    const at = await context.store.storeTime()
    if (at !== null) expect(Math.abs(at - Date.now())).toBeLessThan(10_000)
  })
}
