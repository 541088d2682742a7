import { expect, it } from 'vitest'
import { formatModelTest } from './format-model-test.ts'
import { rehearsedReport } from './model-test-report.ts'
import { valueText } from './value-text.ts'

it.each<[value: unknown, shown: string]>([
  [{ value: 12345678901234567890n }, '{"value":12345678901234567890}'],
  [[-9007199254740993n, { deep: [9007199254740993n] }], '[-9007199254740993,{"deep":[9007199254740993]}]'],
  [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '[NaN,Infinity,-Infinity]'],
  ['\0 a " text\0', '"\\u0000 a \\" text\\u0000"'],
  [undefined, 'undefined'],
])('formats a value with numbers that JSON lacks: %s', (value, shown) => {
  expect(valueText(value)).toBe(shown)
})

it('preserves integers beyond 2^53 anywhere in the report of a model test', () => {
  const huge = 2n ** 64n
  const report = rehearsedReport({
    model: 'm',
    steps: [],
    output: [],
    rehearsal: {
      calls: [
        {
          call: { method: 'predict', arguments: [{ name: 'limit', value: huge }] },
          answer: { status: 'answered', output: { value: huge }, durationMs: 1 },
        },
      ],
      recorded: [],
    } as never,
  })
  expect(report.steps).toMatchObject([{ name: `predict(${huge})`, text: `{"value":${huge}}` }])
  const round = { at: 'now', subject: 'BTC', status: 'PENDING', output: [huge], reason: null, detail: null }
  expect(formatModelTest({ ...report, recorded: [round] })).toContain(`now BTC: PENDING  [${huge}]`)
})
