import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { Store } from './store.ts'
import {
  answeredRound,
  btc,
  candle,
  eth,
  filter,
  minute,
  prediction,
  prepare,
  resolveAll,
  round,
  score,
  settleRequest,
  voidAll,
} from './store-samples.ts'
import type { DueRound, RoundSettlement, SettleResult } from './store-settlement.ts'

const nothing: SettleResult = { resolvedCount: 0, voidCount: 0, waitingCount: 0, next: null }

/** Candles 0 to `last`, so that the watermark is `last + 1`. */
async function candlesThrough(store: Store, last: number): Promise<void> {
  await store.appendRecords(Array.from({ length: last + 1 }, (_, index) => candle(index)))
}

/** The offered rounds, by minute. */
async function offered(store: Store, overrides: Parameters<typeof settleRequest>[0] = {}): Promise<number[]> {
  const minutes: number[] = []
  await store.settleRounds(settleRequest(overrides), (due) => {
    minutes.push((due.round.performedAt - minute(0)) / 60_000)
    return { kind: 'wait' }
  })
  return minutes
}

async function offeredRound(store: Store, overrides: Parameters<typeof settleRequest>[0] = {}): Promise<DueRound> {
  const rounds: DueRound[] = []
  await store.settleRounds(settleRequest(overrides), (due) => {
    rounds.push(due)
    return { kind: 'wait' }
  })
  expect(rounds).toHaveLength(1)
  return rounds[0] as DueRound
}

export function settlementTests(context: StoreUnderTest): void {
  claimTests(context)
  cursorTests(context)
  evidenceTests(context)
  effectTests(context)
  refusalTests(context)
  concurrencyTests(context)
}

function claimTests(context: StoreUnderTest): void {
  it('offers a round once its scope has reached it, not before', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0))
    await candlesThrough(store, 3)
    await store.appendRecords([candle(30, { close: 1 }, eth)])
    expect(await offered(store)).toEqual([])
    await candlesThrough(store, 4)
    expect(await offered(store)).toEqual([0])
  })

  it('offers a round that has expired, even without any record', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0))
    expect(await offered(store, { now: round(0).expiresAt - 1 })).toEqual([])
    expect(await offered(store, { now: round(0).expiresAt })).toEqual([0])
  })

  it('offers no round without answers and none that is resolved', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    await answeredRound(store, round(1))
    const late = settleRequest({ now: minute(90) })
    expect(await store.settleRounds(late, (due) => resolveAll(due))).toEqual({ ...nothing, resolvedCount: 1 })
    expect(await store.settleRounds(late, (due) => resolveAll(due))).toEqual(nothing)
  })

  it('offers a waiting round again', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0))
    const late = settleRequest({ now: minute(90) })
    expect(await store.settleRounds(late, () => ({ kind: 'wait' }))).toEqual({ ...nothing, waitingCount: 1 })
    expect(await offered(store, { now: minute(90) })).toEqual([0])
    expect(await store.periodResults(minute(0), minute(9))).toMatchObject([
      { predictionStatus: 'PENDING', scoreKind: null },
      { predictionStatus: 'PENDING', scoreKind: null },
    ])
  })
}

function cursorTests(context: StoreUnderTest): void {
  it('offers rounds ordered by (resolvableAt, id) and resumes after the cursor', async () => {
    const { store } = context
    await prepare(store)
    const sameTime = (id: string) => round(1, { id })
    for (const asked of [round(3), sameTime('b'), round(0), sameTime('B'), round(2, { horizonMs: 60_000 })]) {
      await answeredRound(store, asked, ['a'])
    }
    const seen: string[] = []
    const pass = async (after?: SettleResult['next']): Promise<SettleResult> =>
      store.settleRounds(
        settleRequest({ now: minute(90), limit: 2, ...(after ? { after } : {}) }),
        ({ round: { id } }) => {
          seen.push(id)
          return { kind: 'wait' }
        },
      )
    const first = await pass()
    expect(first).toMatchObject({ waitingCount: 2, next: { resolvableAt: minute(5), id: round(0).id } })
    const second = await pass(first.next)
    expect(second.next).toEqual({ resolvableAt: minute(6), id: 'b' })
    expect((await pass(second.next)).next).toBeNull()
    expect(seen).toEqual([round(2, { horizonMs: 60_000 }).id, round(0).id, 'B', 'b', round(3).id])
  })

  it('resolves rounds in steps of the limit', async () => {
    const { store } = context
    await prepare(store)
    for (let count = 0; count < 5; count += 1) await answeredRound(store, round(count))
    const request = settleRequest({ now: minute(90), limit: 3 })
    expect((await store.settleRounds(request, (due) => resolveAll(due))).resolvedCount).toBe(3)
    expect(await store.settleRounds(request, (due) => resolveAll(due))).toEqual({ ...nothing, resolvedCount: 2 })
  })

  it('settles a mix of waiting, resolved and void rounds', async () => {
    const { store } = context
    await prepare(store)
    for (let count = 0; count < 6; count += 1) await answeredRound(store, round(count))
    const kinds: ((due: DueRound) => RoundSettlement)[] = [(due) => resolveAll(due), voidAll, () => ({ kind: 'wait' })]
    let turn = 0
    const mixed = (due: DueRound): RoundSettlement => {
      const settle = kinds[turn % 3] as (due: DueRound) => RoundSettlement
      turn += 1
      return settle(due)
    }
    const result = await store.settleRounds(settleRequest({ now: minute(90) }), mixed)
    expect(result).toEqual({ resolvedCount: 2, voidCount: 2, waitingCount: 2, next: null })
    expect(await offered(store, { now: minute(90) })).toEqual([2, 5])
    expect(await store.roundCounts()).toMatchObject({ unresolvedCount: 2, voidCount: 2 })
  })
}

function evidenceTests(context: StoreUnderTest): void {
  it('provides entry, exit and, on request, the records in between', async () => {
    const { store } = context
    await prepare(store)
    await store.appendRecords([candle(3, { close: 9 }, eth)])
    await candlesThrough(store, 9)
    await answeredRound(store, round(2), ['b', 'a'])
    const due = await offeredRound(store, { withRecords: true })
    expect(due.round).toEqual({ ...round(2), answeredAt: minute(2) + 90 })
    expect(due.predictions.map(({ modelId }) => modelId)).toEqual(['a', 'b'])
    expect(due.predictions[0]).toEqual(prediction(round(2), 'a'))
    expect(due.entry).toEqual(candle(1))
    expect(due.exit).toEqual(candle(6))
    expect(due.records).toEqual([2, 3, 4, 5, 6].map((count) => candle(count)))
    expect((await offeredRound(store)).records).toEqual([])
  })

  it('provides the last known record of any age, or none', async () => {
    const { store } = context
    await prepare(store)
    await store.appendRecords([candle(4), candle(50)])
    await answeredRound(store, round(2))
    await store.openRound(round(2, { scheduleKey: 'ETHUSDT-5m', scope: eth }))
    const due = await offeredRound(store, { withRecords: true })
    expect(due).toMatchObject({ entry: null, exit: candle(4), records: [candle(4)] })
    await answeredRound(store, round(20), ['a'])
    const seen: (DueRound['entry'] | undefined)[] = []
    await store.settleRounds(settleRequest({ after: { resolvableAt: minute(10), id: '' } }), ({ entry, exit }) => {
      seen.push(entry, exit)
      return { kind: 'wait' }
    })
    expect(seen).toEqual([candle(4), candle(4)])
  })

  it('provides the newest records of requested series at both ends, and the last record of the other series', async () => {
    const { store } = context
    await prepare(store)
    // Out of order, with a gap, and with a record after the horizon.
    await store.appendRecords([candle(4), candle(0), candle(1), candle(-3), candle(2), candle(5), candle(9)])
    await store.appendRecords([
      candle(1, { close: 7 }, eth),
      candle(3, { close: 8 }, eth),
      candle(6, { close: 9 }, eth),
    ])
    await answeredRound(store, round(2))
    const evidence = [
      { scope: eth, recordCount: 5, peer: null },
      { scope: btc, recordCount: 3, peer: eth },
    ]
    const due = await offeredRound(store, { evidence })
    expect(due.evidence).toEqual({
      entry: { records: [candle(-3), candle(0), candle(1)], peer: candle(1, { close: 7 }, eth) },
      exit: { records: [candle(2), candle(4), candle(5)], peer: candle(6, { close: 9 }, eth) },
      peerWatermarkAt: minute(7),
    })
    expect(due).toMatchObject({ entry: candle(1), exit: candle(5), records: [] })
  })

  it('provides no evidence for a series that was not requested, and empty evidence if nothing is known', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(2))
    expect((await offeredRound(store, { now: minute(90) })).evidence).toBeNull()
    const other = { scope: eth, recordCount: 9, peer: btc }
    expect((await offeredRound(store, { now: minute(90), evidence: [other] })).evidence).toBeNull()
    const own = { scope: btc, recordCount: 9, peer: eth }
    const nothingKnown = { records: [], peer: null }
    expect((await offeredRound(store, { now: minute(90), evidence: [other, own] })).evidence).toEqual({
      entry: nothingKnown,
      exit: nothingKnown,
      peerWatermarkAt: null,
    })
    await store.appendRecords([candle(0), candle(1)])
    const alone = { scope: btc, recordCount: 1, peer: null }
    expect((await offeredRound(store, { now: minute(90), evidence: [alone] })).evidence).toEqual({
      entry: { records: [candle(1)], peer: null },
      exit: { records: [candle(1)], peer: null },
      peerWatermarkAt: null,
    })
  })

  it('offers a round without answers with no predictions', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0), [])
    const due = await offeredRound(store, { now: minute(90) })
    expect(due).toMatchObject({ predictions: [], entry: null, exit: null, records: [] })
    const result = await store.settleRounds(settleRequest({ now: minute(90) }), (round) => resolveAll(round))
    expect(result.resolvedCount).toBe(1)
  })
}

function effectTests(context: StoreUnderTest): void {
  it('writes truth, scores and status changes of a resolved round', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'c'])
    await store.openRound(round(0))
    const absent = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', durationMs: null } as const
    const [good, broken, missing] = [
      prediction(round(0), 'a'),
      prediction(round(0), 'b'),
      prediction(round(0), 'c', absent),
    ]
    await store.recordAnswers(round(0).id, minute(1), [good, broken, missing])
    const failure = { to: 'FAILED', reason: 'score_failed', blame: 'coordinator', detail: 'threw' } as const
    const scores = [
      score(good, { value: { value: 0.1 + 0.2 }, signal: null, actual: 1 / 3 }),
      score(broken, { kind: 'failed', value: null, reason: 'threw', signal: null, actual: null }),
      score(missing, { kind: 'imputed', value: { value: -1 }, reason: 'worst of the round' }),
    ]
    await store.settleRounds(settleRequest({ now: minute(90) }), () => ({
      kind: 'resolved',
      actuals: { return: 0.1 },
      scores: [...scores].reverse(),
      missingValue: -1,
      moves: [
        { predictionId: good.id, to: 'SCORED', reason: null, blame: null, detail: null },
        { predictionId: broken.id, ...failure },
      ],
    }))
    const reports = await store.predictionReports(filter())
    expect(reports.map((report) => report.score)).toEqual(scores)
    const { to: status, ...because } = failure
    const moved = [{ ...good, status: 'SCORED' }, { ...broken, status, ...because }, missing]
    expect(reports.map((report) => report.prediction)).toEqual(moved)
    expect(await store.hasUnresolvedRounds(minute(99))).toBe(false)
  })

  it('makes a round void without scores', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0), ['a'])
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => voidAll(due, 'feed_stale'))
    const [report] = await store.predictionReports(filter())
    const because = { reason: 'feed_stale', blame: 'coordinator', detail: 'the feed was silent' }
    expect(report?.prediction).toEqual({ ...prediction(round(0), 'a'), status: 'FAILED', ...because })
    expect(report?.score).toBeNull()
    expect(await store.periodResults(minute(0), minute(99))).toEqual([])
  })
}

function refusalTests(context: StoreUnderTest): void {
  const settleBoth = (decide: (due: DueRound) => RoundSettlement) =>
    context.store.settleRounds(settleRequest({ now: minute(90) }), decide)

  async function unchanged(): Promise<void> {
    expect(await offered(context.store, { now: minute(90) })).toEqual([0, 1])
    for (const report of await context.store.predictionReports(filter())) {
      expect(report).toMatchObject({ prediction: { status: 'PENDING' }, score: null })
    }
  }

  async function twoRounds(): Promise<void> {
    await prepare(context.store)
    await answeredRound(context.store, round(0))
    await answeredRound(context.store, round(1))
  }

  it('applies nothing of a call if a decision throws', async () => {
    await twoRounds()
    const decide = (due: DueRound): RoundSettlement => {
      if (due.round.id === round(1).id) throw new Error('a defect of the decision')
      return resolveAll(due)
    }
    await expect(settleBoth(decide)).rejects.toThrow('a defect of the decision')
    await unchanged()
  })

  it('refuses settlements that would corrupt the tables, and applies nothing of the call', async () => {
    await twoRounds()
    type Resolved = Extract<RoundSettlement, { kind: 'resolved' }>
    const second = (change: (settlement: Resolved, due: DueRound) => RoundSettlement) =>
      settleBoth((due) => {
        const settlement = resolveAll(due) as Resolved
        return due.round.id === round(1).id ? change(settlement, due) : settlement
      })
    await expect(second((all) => ({ ...all, moves: all.moves.slice(1) }))).rejects.toThrow(/stay PENDING/)
    await expect(second((all) => ({ ...all, moves: [...all.moves, ...all.moves] }))).rejects.toThrow(/moved twice/)
    await expect(second((all) => ({ ...all, scores: [...all.scores, ...all.scores] }))).rejects.toThrow(/scored twice/)
    await expect(second(({ moves }) => ({ kind: 'void', reason: 'x', moves }))).rejects.toThrow(/void round/)
    const foreign = prediction(round(0), 'a')
    const foreignMove = { predictionId: foreign.id, to: 'SCORED', reason: null, blame: null, detail: null } as const
    await expect(second((all) => ({ ...all, moves: [...all.moves, foreignMove] }))).rejects.toThrow(/not of this round/)
    await expect(second((all) => ({ ...all, scores: [score(foreign)] }))).rejects.toThrow(/not of one of its/)
    await unchanged()
  })

  it('changes only PENDING predictions', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    const failed = prediction(round(0), 'a', { status: 'FAILED', output: null, reason: 'model_error', blame: 'model' })
    await store.recordAnswers(round(0).id, minute(1), [failed])
    const move = { predictionId: failed.id, to: 'SCORED', reason: null, blame: null, detail: null } as const
    const settling = settleBoth(() => ({
      ...{ kind: 'resolved', actuals: null, scores: [], missingValue: null, moves: [move] },
    }))
    await expect(settling).rejects.toThrow(/cannot move from FAILED to SCORED/)
  })
}

function concurrencyTests(context: StoreUnderTest): void {
  it('never lets two workers settle the same round', async () => {
    await prepare(context.store)
    const roundCount = 40
    for (let count = 0; count < roundCount; count += 1) await answeredRound(context.store, round(count))
    const other = await context.other()
    const resolved = new Map<string, number>()
    const work = async (store: Store): Promise<void> => {
      for (let pass = 0; pass < roundCount; pass += 1) {
        const result = await store.settleRounds(settleRequest({ now: minute(900), limit: 3 }), (due) => {
          resolved.set(due.round.id, (resolved.get(due.round.id) ?? 0) + 1)
          return resolveAll(due)
        })
        if (result.resolvedCount === 0 && !(await store.hasUnresolvedRounds(minute(900)))) return
      }
    }
    await Promise.all([work(context.store), work(other), work(context.store), work(other)])
    expect([...resolved.values()]).toEqual(Array.from({ length: roundCount }, () => 1))
    const results = await context.store.periodResults(minute(0), minute(900))
    expect(results.filter(({ scoreKind }) => scoreKind === 'valid')).toHaveLength(2 * roundCount)
  })

  it('can append records while a worker settles', async () => {
    const { store } = context
    await prepare(store)
    for (let count = 0; count < 10; count += 1) await answeredRound(store, round(count))
    const other = await context.other()
    const [settled] = await Promise.all([
      store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due)),
      candlesThrough(other, 20),
      answeredRound(other, round(500)),
    ])
    expect(settled.resolvedCount).toBe(10)
    expect(await other.latestRecords(btc, 1, minute(99))).toEqual([candle(20)])
  })
}
