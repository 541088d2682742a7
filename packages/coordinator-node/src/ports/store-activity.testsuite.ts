import { expect, it } from 'vitest'
import type { Prediction } from '../domain/prediction.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import { candle, minute, prediction, prepare, resolveAll, round, settleRequest, voidAll } from './store-samples.ts'

const late = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'too late' } as const
const wrong = {
  status: 'FAILED',
  output: null,
  reason: 'invalid_output',
  blame: 'model',
  detail: 'value: NaN',
} as const

export function activityTests(context: StoreUnderTest): void {
  const answer = async (count: number, answers: Readonly<Record<string, Partial<Prediction>>>): Promise<void> => {
    const asked = round(count)
    await context.store.openRound(asked)
    const predictions = Object.entries(answers).map(([modelId, overrides]) => prediction(asked, modelId, overrides))
    await context.store.recordAnswers(asked.id, asked.performedAt + 90, predictions)
  }

  it('adds up what the stages have finished in a span', async () => {
    const { store } = context
    await prepare(store, ['a', 'b'])
    await store.appendRecords([candle(0), candle(1), candle(2)])
    await answer(0, { a: { durationMs: 1 }, b: {} })
    await answer(1, { a: { durationMs: 10 }, b: late })
    await answer(2, { a: { durationMs: 30 }, b: wrong })
    await store.openRound(round(3))
    const none = { settledCount: 0, lastSettled: null, voidCount: 0, periodCount: 0, checkpointCount: 0 }
    expect(await store.stageActivity(minute(1), minute(90))).toEqual({
      ...none,
      ...{ recordCount: 3, roundCount: 3, answeredRoundCount: 2, lastAnsweredAt: minute(2) + 90, validAnswerCount: 2 },
      latency: { p50Ms: 20, p95Ms: expect.closeTo(29), p99Ms: expect.closeTo(29.8), maxMs: 30 },
      answerReasons: { timeout: 1, invalid_output: 1 },
    })
    await store.settleRounds(settleRequest({ now: minute(90) }), voidAll)
    const settled = await store.stageActivity(minute(1), minute(90))
    expect([settled.settledCount, settled.voidCount, settled.lastSettled]).toEqual([3, 3, round(2).resolvableAt])
    expect(await store.stageActivity(minute(99), minute(200))).toEqual({
      ...none,
      ...{ recordCount: 0, roundCount: 0, answeredRoundCount: 0, lastAnsweredAt: null, validAnswerCount: 0 },
      ...{ latency: null, answerReasons: {} },
    })
    const sizes = await store.tableSizes()
    expect(sizes.every(({ bytes, rowCount }) => bytes > 0 && (rowCount === null || rowCount >= 0))).toBe(true)
    if (sizes.length > 0) expect(sizes.map(({ table }) => table)).toContain('predictions')
  })

  it('reports the newest failures of one model, oldest first', async () => {
    const { store } = context
    await prepare(store, ['a', 'b'])
    await answer(0, { a: late, b: wrong })
    await answer(1, { a: { durationMs: 20 }, b: {} })
    await answer(2, { a: { ...wrong, durationMs: 3 }, b: {} })
    await answer(3, { a: late, b: late })
    const failure = (count: number, { output: _, ...why }: typeof late | typeof wrong, durationMs = 12.5) => ({
      ...{ ...why, durationMs },
      ...{ roundId: round(count).id, performedAt: minute(count) },
    })
    const ask = (since: number, limit: number) => store.modelFailures({ modelId: 'a', since: minute(since), limit })
    expect(await ask(0, 10)).toEqual([failure(0, late), failure(2, wrong, 3), failure(3, late)])
    expect(await ask(0, 2)).toEqual([failure(2, wrong, 3), failure(3, late)])
    expect(await ask(3, 10)).toEqual([failure(3, late)])
    expect(await store.modelFailures({ modelId: 'x', since: minute(0), limit: 1 })).toEqual([])
  })

  it('reports outcomes, latencies and the last problem of each model', async () => {
    const { store } = context
    await prepare(store, ['b', 'a', 'c', 'unseen'])
    await answer(0, { a: { durationMs: 10 }, b: { ...late, durationMs: 5_000 }, c: { durationMs: 7 } })
    await answer(1, { a: { durationMs: 20 }, b: { ...wrong, durationMs: 3 } })
    await answer(2, { a: { durationMs: 40 }, b: { ...late, detail: null, durationMs: null } })
    const none = { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0 }
    expect(await store.modelActivity(minute(0))).toEqual([
      {
        modelId: 'a',
        counts: { ...none, PENDING: 3 },
        reasons: {},
        latency: { p50Ms: 20, p95Ms: 20 + 0.9 * 20, maxMs: 40 },
        lastPredictionAt: minute(2),
        lastAnswerAt: minute(2),
        lastProblem: null,
      },
      {
        modelId: 'b',
        counts: { ...none, FAILED: 1, ABSENT: 2 },
        reasons: { timeout: 2, invalid_output: 1 },
        latency: null,
        lastPredictionAt: minute(2),
        lastAnswerAt: null,
        lastProblem: { status: 'ABSENT', reason: 'timeout', blame: 'model', detail: null, at: minute(2) },
      },
      {
        modelId: 'c',
        counts: { ...none, PENDING: 1 },
        reasons: {},
        latency: { p50Ms: 7, p95Ms: 7, maxMs: 7 },
        lastPredictionAt: minute(0),
        lastAnswerAt: minute(0),
        lastProblem: null,
      },
    ])
  })

  it('includes everything from its instant on, and nothing before', async () => {
    await prepare(context.store)
    await answer(0, { a: { ...late, durationMs: 900 } })
    await answer(1, { a: { durationMs: 8 } })
    const [seen] = await context.store.modelActivity(minute(1))
    expect(seen).toMatchObject({ reasons: {}, lastProblem: null, latency: { maxMs: 8 } })
    expect((await context.store.modelActivity(minute(0)))[0]?.reasons).toEqual({ timeout: 1 })
    expect(await context.store.modelActivity(minute(1) + 1)).toEqual([])
    expect(await context.store.modelActivity(Number.NEGATIVE_INFINITY)).toHaveLength(1)
  })

  it('counts a scored answer as an answer, and one without a truth as a problem', async () => {
    const { store } = context
    await prepare(store)
    await answer(0, { a: { durationMs: 1 } })
    await answer(1, { a: { durationMs: 3 } })
    await store.appendRecords([candle(0), candle(20)])
    await store.settleRounds(settleRequest({ now: minute(21) }), (due) =>
      due.round.performedAt === minute(0) ? resolveAll(due) : voidAll(due),
    )
    expect(await store.modelActivity(minute(0))).toMatchObject([
      {
        counts: { PENDING: 0, SCORED: 1, FAILED: 1, ABSENT: 0 },
        latency: { p50Ms: 1, p95Ms: 1, maxMs: 1 },
        lastProblem: { status: 'FAILED', reason: 'truth_unavailable', blame: 'coordinator', at: minute(1) },
      },
    ])
  })

  it('preserves unusual characters of models, reasons and details', async () => {
    const odd = `it's "odd" \\ \u{1F600} \u0000 {x,y} %_ \n;--`
    await prepare(context.store, [odd])
    await answer(0, { [odd]: { ...late, reason: odd, detail: odd } })
    const [seen] = await context.store.modelActivity(minute(0))
    expect(seen).toMatchObject({ modelId: odd, reasons: { [odd]: 1 }, lastProblem: { reason: odd, detail: odd } })
  })
}
