import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  candle,
  eth,
  minute,
  prediction,
  prepare,
  resolveAll,
  round,
  roundFilter,
  score,
  settleRequest,
  voidAll,
} from './store-samples.ts'

const ethRound = (count: number) => round(count, { scheduleKey: 'ETHUSDT-5m', scope: eth })

/** Round 0 resolved, 1 void, 2 answered and 3 waiting for answers; one of the other series at minute 2. */
async function fill({ store }: StoreUnderTest): Promise<void> {
  await prepare(store, ['a', 'b', 'c'])
  for (const count of [0, 1]) {
    await store.openRound(round(count))
    const failed = { status: 'FAILED', output: null, reason: 'timeout', blame: 'model' } as const
    const answers = [
      prediction(round(count), 'a'),
      prediction(round(count), 'b'),
      prediction(round(count), 'c', failed),
    ]
    await store.recordAnswers(round(count).id, minute(count) + 90, answers)
  }
  await store.appendRecords([candle(0), candle(6)])
  const values: Record<string, number> = { a: 0.5, b: -0.25 }
  await store.settleRounds(settleRequest({ now: minute(7) }), (due) => {
    if (due.round.id !== round(0).id) return voidAll(due)
    const settled = resolveAll(due)
    if (settled.kind !== 'resolved') return settled
    const scores = settled.scores.map((one) => ({
      ...one,
      value: { value: values[one.modelId] ?? 0, note: one.modelId },
    }))
    const [failed] = due.predictions.filter(({ status }) => status === 'FAILED')
    // An imputed score is no answer's.
    const imputed = failed === undefined ? [] : [score(failed, { kind: 'imputed', value: { value: 9 } })]
    return { ...settled, scores: [...scores, ...imputed] }
  })
  await answeredRound(store, round(2))
  await store.openRound(round(3))
  await answeredRound(store, ethRound(2), ['a'])
}

export function roundListTests(context: StoreUnderTest): void {
  it('lists rounds newest first, with counts of their answers and the best model', async () => {
    const { store } = context
    await fill(context)
    const rows = await store.roundSummaries(roundFilter())
    expect(
      rows.map(({ round: { id }, counts, scoredAt, best }) => ({ id, counts: Object.values(counts), scoredAt, best })),
    ).toEqual([
      { id: round(3).id, counts: [0, 0, 0, 0], scoredAt: null, best: null },
      { id: ethRound(2).id, counts: [1, 0, 0, 0], scoredAt: null, best: null },
      { id: round(2).id, counts: [2, 0, 0, 0], scoredAt: null, best: null },
      { id: round(1).id, counts: [0, 0, 3, 0], scoredAt: null, best: null },
      { id: round(0).id, counts: [0, 2, 1, 0], scoredAt: minute(5) + 40, best: { modelId: 'a', value: 0.5 } },
    ])
    const { input: _, ...rest } = round(0)
    expect(rows.at(-1)?.round).toEqual({
      ...rest,
      ...{ status: 'RESOLVED', answeredAt: minute(0) + 90, actuals: { return: 0.01 } },
    })
    const best = async (field: string, direction: 'asc' | 'desc') =>
      (await store.roundSummaries(roundFilter({ to: minute(0), bestBy: { field, direction } })))[0]?.best
    expect([await best('value', 'asc'), await best('note', 'asc'), await best("'", 'desc')]).toEqual([
      { modelId: 'b', value: -0.25 },
      null,
      null,
    ])
  })

  it('selects rounds by state, schedule, series and time, and goes on behind a round', async () => {
    const { store } = context
    await fill(context)
    const ids = async (filter: Parameters<typeof roundFilter>[0]) =>
      (await store.roundSummaries(roundFilter(filter))).map((row) => row.round.id)
    const [zero, one, two, three] = [0, 1, 2, 3].map((count) => round(count).id) as [string, string, string, string]
    const other = ethRound(2).id
    expect(await ids({ state: 'open' })).toEqual([three, other, two])
    expect(await ids({ state: 'resolved' })).toEqual([zero])
    expect(await ids({ state: 'void' })).toEqual([one])
    expect(await ids({ scheduleKey: 'ETHUSDT-5m' })).toEqual([other])
    expect(await ids({ scope: { subject: 'ETHUSDT', source: 'binance' } })).toEqual([other])
    expect(await ids({ scope: { granularity: '2m' } })).toEqual([])
    expect(await ids({ from: minute(1), to: minute(2) })).toEqual([other, two, one])
    expect(await ids({ limit: 2 })).toEqual([three, other])
    expect(await ids({ after: { performedAt: minute(2), id: other }, limit: 2 })).toEqual([two, one])
    expect(await ids({ after: { performedAt: minute(2), id: '' } })).toEqual([one, zero])
  })
}
