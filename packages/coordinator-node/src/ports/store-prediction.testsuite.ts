import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { PredictionExport } from './store-exports.ts'
import {
  answeredRound,
  eraEntry,
  eth,
  filter,
  leaderboard,
  minute,
  nextEra,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from './store-samples.ts'

export function predictionTests(context: StoreUnderTest): void {
  openRoundTests(context)
  answerTests(context)
  lateAnswerTests(context)
  unansweredTests(context)
  reportTests(context)
  exportTests(context)
  countTests(context)
}

function openRoundTests(context: StoreUnderTest): void {
  it('opens a round once and does not change it', async () => {
    const { store } = context
    await prepare(store)
    expect(await store.openRound(round(0, { missedBefore: 2 }))).toBe(true)
    expect(await store.openRound({ ...round(0), input: { other: true } })).toBe(false)
    expect(await store.unansweredRounds()).toEqual([round(0, { missedBefore: 2 })])
  })

  it('lets one of two workers open a round', async () => {
    await prepare(context.store)
    const other = await context.other()
    const opened = await Promise.all(
      [context.store, other, context.store, other].map((store) => store.openRound(round(0))),
    )
    expect(opened.filter((isNew) => isNew)).toHaveLength(1)
    expect((await context.store.roundCounts()).openedCount).toBe(1)
  })

  it('refuses a round of an unknown schedule', async () => {
    await prepare(context.store)
    await expect(context.store.openRound(round(0, { scheduleKey: 'none' }))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('refuses a new round that ends in a closed period of its era, as no leaderboard would include it', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(4))
    await store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10) })
    await expect(store.openRound(round(0))).rejects.toMatchObject({ code: 'PERIOD_CLOSED' })
    const last = { horizonMs: 5 * 60_000 - 1 }
    await expect((await context.other()).openRound(round(5, last))).rejects.toMatchObject({ code: 'PERIOD_CLOSED' })
    expect(await store.openRound(round(4))).toBe(false)
    expect(await store.openRound(round(5))).toBe(true)
    expect(await store.roundCounts()).toMatchObject({ openedCount: 2, missedCount: 0 })
    await store.enterEra(eraEntry())
    await store.beginEra(nextEra({ at: minute(3) }))
    expect(await store.openRound(round(3, { era: 2 }))).toBe(true)
  })

  it('returns the newest round of each schedule with rounds', async () => {
    const { store } = context
    await prepare(store)
    expect(await store.lastRoundTimes()).toEqual(new Map())
    await store.openRound(round(7))
    await store.openRound(round(3))
    expect(await store.lastRoundTimes()).toEqual(new Map([['BTCUSDT-5m', minute(7)]]))
    await store.openRound(round(4, { scheduleKey: 'ETHUSDT-5m', scope: eth }))
    expect((await store.lastRoundTimes()).get('ETHUSDT-5m')).toBe(minute(4))
  })

  it('preserves unusual characters of keys and models', async () => {
    const { store } = context
    const odd = `it's "odd" \\ \u{1F600} a/b {x,y} %_ \n;--`
    await prepare(store, [odd])
    const asked = round(0, { id: `INP ${odd}`, input: { [odd]: odd } })
    await answeredRound(store, asked, [odd])
    const [report] = await store.predictionReports(filter({ modelIds: [odd] }))
    expect(report?.prediction).toEqual(prediction(asked, odd))
    expect(report?.prediction.roundId).toBe(`INP ${odd}`)
  })
}

const recorded = { isFirst: true, lateCount: 0 }
const notFirst = { isFirst: false, lateCount: 0 }

function lateAnswerTests(context: StoreUnderTest): void {
  const late = { status: 'ABSENT', output: null, reason: 'stored_late', blame: 'coordinator' }

  it.each([
    ['at', 0],
    ['long after', 60_000],
  ])(
    'accepts no answer %s the instant at which the truth can be known, but still records each model',
    async (_, lateMs) => {
      const { store } = context
      await prepare(store, ['a', 'b', 'c'])
      await store.openRound(round(0))
      const absent = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'slow' } as const
      const answers = [prediction(round(0), 'a'), prediction(round(0), 'b', absent), prediction(round(0), 'c')]
      const result = await store.recordAnswers(round(0).id, minute(5) + lateMs, answers)
      expect(result).toEqual({ isFirst: true, lateCount: 2 })
      expect((await store.predictionReports(filter())).map((report) => report.prediction)).toEqual([
        { ...answers[0], ...late, detail: expect.stringContaining('too late') },
        answers[1],
        { ...answers[2], ...late, detail: expect.stringContaining('too late') },
      ])
      expect(await store.unansweredRounds()).toEqual([])
      expect(await store.recordAnswers(round(0).id, minute(1), answers)).toEqual(notFirst)
    },
  )

  it('accepts answers up to that instant', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    expect(await store.recordAnswers(round(0).id, minute(5) - 1, [prediction(round(0), 'a')])).toEqual(recorded)
    expect((await store.predictionReports(filter()))[0]?.prediction).toEqual(prediction(round(0), 'a'))
  })
}

function answerTests(context: StoreUnderTest): void {
  it('records answers once', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    const [first, second] = [prediction(round(0), 'a'), prediction(round(0), 'b')]
    expect(await store.recordAnswers(round(0).id, minute(1), [second, first])).toEqual(recorded)
    expect(await store.recordAnswers(round(0).id, minute(2), [{ ...first, output: { value: 9 } }])).toEqual(notFirst)
    expect((await store.predictionReports(filter())).map((report) => report.prediction)).toEqual([first, second])
    expect(await store.unansweredRounds()).toEqual([])
  })

  it('lets one of two workers answer', async () => {
    await prepare(context.store)
    await context.store.openRound(round(0))
    const other = await context.other()
    const answers = [prediction(round(0), 'a'), prediction(round(0), 'b')]
    const all = await Promise.all(
      [context.store, other, context.store, other].map((store) => store.recordAnswers(round(0).id, minute(1), answers)),
    )
    expect(all.filter(({ isFirst }) => isFirst)).toHaveLength(1)
    expect(await context.store.predictionReports(filter())).toHaveLength(2)
  })

  it('records a round without models', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    expect(await store.recordAnswers(round(0).id, minute(1), [])).toEqual(recorded)
    expect(await store.recordAnswers(round(0).id, minute(1), [prediction(round(0), 'a')])).toEqual(notFirst)
  })

  it('stores every status with reason, blame and detail', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'c'])
    await store.openRound(round(0))
    const answers = [
      prediction(round(0), 'a', { output: [1, null, 'x'], durationMs: 0.1 + 0.2 }),
      prediction(round(0), 'b', {
        status: 'FAILED',
        output: null,
        reason: 'invalid_output',
        blame: 'model',
        detail: 'is NaN',
      }),
      prediction(round(0), 'c', {
        status: 'ABSENT',
        output: null,
        reason: 'timeout',
        blame: 'coordinator',
        durationMs: null,
      }),
    ]
    await store.recordAnswers(round(0).id, minute(1), answers)
    expect((await store.predictionReports(filter())).map((report) => report.prediction)).toEqual(answers)
  })
}

function unansweredTests(context: StoreUnderTest): void {
  it('refuses answers that do not belong to the round, and then writes nothing', async () => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    const good = prediction(round(0), 'a')
    const answer = (predictions: (typeof good)[]) => store.recordAnswers(round(0).id, minute(1), predictions)
    await expect(answer([good, prediction(round(1), 'b')])).rejects.toThrow(/is of round/)
    await expect(answer([good, { ...good, id: 'other' }])).rejects.toThrow(/two answers/)
    await expect(answer([good, prediction(round(0), 'nobody')])).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(store.recordAnswers('none', minute(1), [])).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await store.predictionReports(filter())).toEqual([])
    expect(await store.unansweredRounds()).toHaveLength(1)
    expect(await answer([good])).toEqual(recorded)
  })

  it('returns rounds without answers, oldest first', async () => {
    const { store } = context
    await prepare(store)
    const eth1 = round(1, { scheduleKey: 'ETHUSDT-5m', scope: eth })
    for (const opened of [round(2), eth1, round(0)]) await store.openRound(opened)
    await answeredRound(store, round(1))
    expect(await store.unansweredRounds()).toEqual([round(0), eth1, round(2)])
  })
}

function reportTests(context: StoreUnderTest): void {
  const ids = async (overrides: Parameters<typeof filter>[0]): Promise<string[]> =>
    (await context.store.predictionReports(filter(overrides))).map(
      ({ prediction: { modelId, performedAt } }) => `${modelId}${(performedAt - minute(0)) / 60_000}`,
    )

  it('returns the newest matching predictions, oldest first', async () => {
    await prepare(context.store, ['a', 'b', 'c'])
    for (const count of [2, 0, 1, 3]) await answeredRound(context.store, round(count), ['c', 'a', 'b'])
    expect(await ids({ limit: 4 })).toEqual(['c2', 'a3', 'b3', 'c3'])
    expect(await ids({ modelIds: ['a'], limit: 2 })).toEqual(['a2', 'a3'])
    expect(await ids({ modelIds: ['a', 'c', 'none'], limit: 3 })).toEqual(['c2', 'a3', 'c3'])
    expect(await ids({ from: minute(1), to: minute(2), modelIds: ['b'] })).toEqual(['b1', 'b2'])
    expect(await ids({ from: minute(1) + 1, to: minute(2) - 1 })).toEqual([])
    expect(await ids({ limit: 0 })).toEqual([])
    expect(await ids({ modelIds: ['none'] })).toEqual([])
  })

  it('accepts bounds outside the range of stored instants', async () => {
    await prepare(context.store)
    await answeredRound(context.store, round(0), ['a'])
    expect(await ids({ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY })).toEqual(['a0'])
    expect(await ids({ from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER })).toEqual(['a0'])
  })

  it('returns predictions with their round and score', async () => {
    const { store } = context
    await prepare(store)
    const asked = round(0, { scheduleKey: 'ETHUSDT-5m', scope: eth })
    await answeredRound(store, asked, ['a'])
    const answer = prediction(asked, 'a')
    const shown = { scheduleKey: 'ETHUSDT-5m', scope: eth, horizonMs: 300_000, stepMs: 60_000 }
    const unknown = { score: null, actuals: null, voidReason: null }
    expect(await store.predictionReports(filter())).toEqual([{ ...shown, ...unknown, prediction: answer }])
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due))
    const [report] = await store.predictionReports(filter())
    expect(report).toMatchObject({ prediction: { ...answer, status: 'SCORED' }, actuals: { return: 0.01 } })
    expect(report?.score).toMatchObject({ predictionId: answer.id, kind: 'valid', value: { value: 1.25, hit: true } })
  })
}

function exportTests(context: StoreUnderTest): void {
  it('exports predictions page by page, in order, each once, with its truth and score', async () => {
    const { store } = context
    await prepare(store, ['a', 'b', 'c'])
    const rounds = [round(0), round(0, { scheduleKey: 'ETHUSDT-5m', scope: eth }), round(1), round(2), round(3)]
    for (const one of rounds) await answeredRound(store, one, ['c', 'a', 'b'])
    await store.settleRounds(settleRequest({ now: minute(90), limit: 2 }), (due) => resolveAll(due))
    const found: PredictionExport[] = []
    for (;;) {
      const after = found.at(-1)?.prediction ?? null
      const page = await store.predictionExports({ from: minute(0), to: minute(3), after, limit: 2 })
      if (page.length === 0) break
      found.push(...page)
    }
    const reports = await store.predictionReports(filter({ to: minute(2) }))
    const settled = rounds.slice(0, 2).map(({ id }) => id)
    expect(found).toHaveLength(12)
    expect(found).toEqual(
      reports.map((report) => {
        const actuals = settled.includes(report.prediction.roundId) ? expect.anything() : null
        return { ...report, actuals, voidReason: null }
      }),
    )
  })

  it('exports nothing for an empty time range, and accepts bounds outside the range of stored instants', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(1), ['a'])
    const [after, limit] = [null, 10]
    expect(await store.predictionExports({ from: minute(0), to: minute(1), after, limit })).toEqual([])
    expect(await store.predictionExports({ from: minute(1) + 1, to: minute(9), after, limit })).toEqual([])
    const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, after, limit }
    expect(await store.predictionExports(all)).toHaveLength(1)
  })
}

function countTests(context: StoreUnderTest): void {
  it('counts rounds', async () => {
    const { store } = context
    expect(await store.roundCounts()).toEqual({ openedCount: 0, unresolvedCount: 0, voidCount: 0, missedCount: 0 })
    await prepare(store)
    await answeredRound(store, round(0))
    await answeredRound(store, round(4, { missedBefore: 3 }))
    await store.openRound(round(5, { missedBefore: 1, scheduleKey: 'ETHUSDT-5m', scope: eth }))
    await store.openRound(round(5, { missedBefore: 1, scheduleKey: 'ETHUSDT-5m', scope: eth }))
    await store.settleRounds(settleRequest({ now: minute(99), limit: 1 }), (due) => resolveAll(due))
    await store.settleRounds(settleRequest({ now: minute(99) }), () => ({ kind: 'wait' }))
    expect(await store.roundCounts()).toEqual({ openedCount: 3, unresolvedCount: 2, voidCount: 0, missedCount: 4 })
  })
}
