import { describe, expect, test } from 'vitest'
import { candles, openCompetition, steady, type TestModel } from '../test/competition.ts'
import { createVirtualClock } from './adapters/clock/clocks.ts'
import { candle, minute } from './ports/store-samples.ts'

describe('the truth never comes before an answer', () => {
  test.each([
    [1_000, 1],
    [1_001, 0],
  ])('a clock round may open up to a second after its instant: %d ms', async (lateMs, roundCount) => {
    const schedule = [{ subject: 'BTCUSDT', every: '1m', horizon: '4m', on: 'clock' }]
    const { clock, pipeline, clockRounds } = await openCompetition({ changes: { prediction: { schedule } } })
    clock.advanceTo(minute(1))
    await pipeline.accept([candle(0)])
    clock.advanceTo(minute(2) + lateMs)
    expect((await clockRounds.predictAt(minute(2))).rounds).toHaveLength(roundCount)
  })

  test('a late round gives its models less time, so that it ends before the horizon', async () => {
    const prediction = { schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '2m' }], timeout: '100s' }
    const { clock, pipeline, runner } = await openCompetition({ changes: { prediction } })
    clock.advanceTo(minute(1) + 30_000)
    expect((await pipeline.accept([candle(0)])).rounds).toHaveLength(1)
    // One second is reserved for storing the answers.
    expect(runner.timeouts).toEqual([89_000])
  })

  test('answers stored after the horizon do not count, with blame on the coordinator and an error in the log', async () => {
    const clock = createVirtualClock()
    const late: TestModel = {
      predict() {
        clock.advanceTo(minute(6))
        return { value: 1 }
      },
    }
    const { store, lines, drive, pipeline } = await openCompetition({ clock, models: { late, other: steady(1) } })
    await drive(candle(0))
    const fault = { status: 'ABSENT', reason: 'stored_late', blame: 'coordinator', output: null }
    expect(store.dump().predictions).toMatchObject([fault, fault])
    expect(lines).toMatchObject([{ level: 'warn', fields: { stage: 'prediction', lateCount: 2 } }])
    await drive(...candles(1, 7))
    await pipeline.settle()
    expect(store.dump().rounds[0]).toMatchObject({ status: 'RESOLVED', voidReason: null })
    expect(store.dump().scores.filter((score) => score.resolvableAt === minute(6))).toEqual([])
  })
})

describe('blame for a refused call', () => {
  const refuse: TestModel = { predict: () => null }

  /** In-process models cannot refuse a call, so their answers are converted to refusals of remote models. */
  async function rowsOf(models: Readonly<Record<string, TestModel>>) {
    const competition = await openCompetition({ models })
    const { dispatch } = competition.runner
    competition.runner.dispatch = async (calls, timeoutMs) =>
      (await dispatch(calls, timeoutMs)).map(({ modelId, answers }) => ({
        modelId,
        answers: answers.map((answer) =>
          models[modelId] === refuse
            ? ({ status: 'failed', reason: 'invalid_call', blame: 'model', detail: 'no', durationMs: 1 } as const)
            : answer,
        ),
      }))
    await competition.drive(candle(0))
    const rows = competition.store.dump().predictions.map((row) => [row.modelId, row.status, row.reason, row.blame])
    return { rows, judgements: competition.runner.judgements }
  }

  test('is on the model if another one answers the call', async () => {
    const { rows, judgements } = await rowsOf({ good: steady(1), liar: refuse, other: refuse })
    expect(rows).toEqual([
      ['good', 'PENDING', null, null],
      ['liar', 'FAILED', 'invalid_call', 'model'],
      ['other', 'FAILED', 'invalid_call', 'model'],
    ])
    // Repeated often enough, this would give the model up.
    expect(judgements.map(({ modelId, problem }) => [modelId, problem])).toEqual([
      ['good', null],
      ['liar', 'invalid_call: no'],
      ['other', 'invalid_call: no'],
    ])
  })

  test('is on the coordinator if all models refuse it, and does not count against them', async () => {
    const { rows, judgements } = await rowsOf({ one: refuse, other: refuse })
    expect(rows).toEqual([
      ['one', 'FAILED', 'invalid_call', 'coordinator'],
      ['other', 'FAILED', 'invalid_call', 'coordinator'],
    ])
    expect(judgements).toEqual([])
  })

  test('is on the only model of a competition, because there is no other to compare with', async () => {
    expect((await rowsOf({ only: refuse })).rows).toEqual([['only', 'FAILED', 'invalid_call', 'model']])
  })
})

describe('a model that withholds answers that would be bad', () => {
  const close = (count: number) => candles(count, count)[0]?.values.close as number
  const lastCount = 40

  /** Answers 1 when prices rise, and behaves differently when they fall. */
  function abstaining(abstain: () => unknown): TestModel {
    let count = -1
    return {
      tick(input) {
        if (input.subject === 'BTCUSDT') count += 1
      },
      predict: () => (close(count + 5) > close(count) ? { value: 1 } : abstain()),
    }
  }

  const thrown = () => {
    throw new Error('not today')
  }

  test.each<[string, () => unknown]>([
    ['throws', thrown],
    ['rejects', () => Promise.reject(new Error('not today'))],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers NaN', () => ({ value: Number.NaN })],
    ['answers beyond the bounds', () => ({ value: 1e300 })],
    ['never answers again', () => new Promise(() => {})],
  ])(
    'gets the score for missing answers each time, and has no advantage over one that answers: it %s',
    async (_, abstain) => {
      const models = { abstaining: abstaining(abstain), honest: steady(1), other: steady(-0.5) }
      const { store, drive, pipeline } = await openCompetition({ models, timeoutMs: 20 })
      await drive(...candles(0, lastCount))
      await pipeline.settle()
      const { predictions, scores } = store.dump()
      const missing = predictions.filter(({ modelId, output }) => modelId === 'abstaining' && output === null)
      expect(missing.length).toBeGreaterThan(10)
      for (const { blame } of missing) expect(blame).toBe('model')
      const values = (modelId: string) =>
        scores.filter((score) => score.modelId === modelId).map((score) => score.value?.value as number)
      const sum = (modelId: string) => values(modelId).reduce((total, value) => total + value, 0)
      // No round is left out of its mean.
      expect(values('abstaining')).toHaveLength(values('honest').length)
      expect(sum('abstaining')).toBeLessThanOrEqual(sum('honest'))
    },
  )
})
