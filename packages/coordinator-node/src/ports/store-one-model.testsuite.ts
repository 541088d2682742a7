import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  candle,
  checkpoint,
  minute,
  minuteMs,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from './store-samples.ts'

const cellMs = 2 * minuteMs

export function oneModelTests(context: StoreUnderTest): void {
  it('counts the outcomes of a model by cell of time, with reason and blame, and knows how long answers took', async () => {
    const { store } = context
    await prepare(store)
    const failed = {
      status: 'FAILED',
      output: null,
      reason: 'invalid_output',
      blame: 'model',
      durationMs: 900,
    } as const
    const absent = {
      status: 'ABSENT',
      output: null,
      reason: 'timeout',
      blame: 'coordinator',
      durationMs: null,
    } as const
    for (const [count, own] of [
      { durationMs: 10 },
      failed,
      failed,
      absent,
      { durationMs: 30 },
      { durationMs: null },
    ].entries()) {
      await store.openRound(round(count))
      const answers = [prediction(round(count), 'a', own), prediction(round(count), 'b', { durationMs: 5_000 })]
      await store.recordAnswers(round(count).id, minute(count) + 90, answers)
    }
    await store.appendRecords([candle(0), candle(5)])
    await store.settleRounds(settleRequest({ now: minute(5) }), (due) => resolveAll(due))
    const span = { modelId: 'a', from: minute(0), to: minute(5), cellMs }
    const cell = (count: number, status: string, reason: string | null, blame: string | null, times: number) => ({
      ...{ cellStart: minute(count), status, reason, blame, count: times },
    })
    const whole = await store.modelOutcomes(span)
    expect(whole.counts).toEqual([
      cell(0, 'FAILED', 'invalid_output', 'model', 1),
      cell(0, 'SCORED', null, null, 1),
      cell(2, 'ABSENT', 'timeout', 'coordinator', 1),
      cell(2, 'FAILED', 'invalid_output', 'model', 1),
      cell(4, 'PENDING', null, null, 2),
    ])
    expect(whole.latencyMs?.map((value) => Math.round(value * 1e9) / 1e9)).toEqual([11, 15, 20, 25, 29, 29.8, 30])
    const part = await store.modelOutcomes({ ...span, from: minute(1), to: minute(3) })
    expect([part.counts.length, part.latencyMs]).toEqual([3, null])
    expect(await store.modelOutcomes({ ...span, modelId: "unknown'" })).toEqual({ counts: [], latencyMs: null })
  })

  it('has the payouts of a model, newest first', async () => {
    const { store } = context
    const [entry] = checkpoint(60).entries as [ReturnType<typeof checkpoint>['entries'][number]]
    const odd = '"x\u0000\' $id'
    for (const end of [60, 120, 180]) {
      const other = { ...entry, modelId: odd, rank: 2, rewardFrac64: end, value: 0.1 + 0.2 }
      await store.addCheckpoint(checkpoint(end, { entries: end === 120 ? [entry] : [entry, other] }))
    }
    const payout = (end: number) => {
      const { id, era, periodStart, periodEnd, status, transactionId, submittedAt } = checkpoint(end)
      const own = { ...entry, modelId: odd, rank: 2, rewardFrac64: end, value: 0.1 + 0.2 }
      return { checkpoint: { id, era, periodStart, periodEnd, status, transactionId, submittedAt }, entry: own }
    }
    const filter = { modelId: odd, before: Number.POSITIVE_INFINITY, limit: 9 }
    expect(await store.modelPayouts(filter)).toEqual([payout(180), payout(60)])
    expect(await store.modelPayouts({ ...filter, limit: 1 })).toEqual([payout(180)])
    expect(await store.modelPayouts({ ...filter, before: minute(180) })).toEqual([payout(60)])
    expect(await store.modelPayouts({ ...filter, modelId: 'unknown' })).toEqual([])
  })
}
