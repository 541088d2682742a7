import { expect, test } from 'vitest'
import { bucketsOf, samplesOf } from './read-metrics.ts'

const text = `# HELP answer_seconds From sending a call to having its answer.
# TYPE answer_seconds histogram
answer_seconds_bucket{le="0.25"} 3
answer_seconds_bucket{le="1"} 3
answer_seconds_bucket{le="2.5"} 10
answer_seconds_bucket{le="+Inf"} 11
answer_seconds_sum 7.5
failures_total{reason="timeout",blame="a \\"b\\""} 4
`

test('samples have their labels and values', () => {
  expect(samplesOf(text).at(-1)).toEqual({
    name: 'failures_total',
    labels: { reason: 'timeout', blame: 'a \\"b\\"' },
    value: 4,
  })
  expect(samplesOf('')).toEqual([])
})

test('each bucket has its own count, not the sum up to its bound', () => {
  expect(bucketsOf(samplesOf(text), 'answer_seconds')).toEqual([
    { label: '≤ 250 ms', count: 3 },
    { label: '≤ 1 s', count: 0 },
    { label: '≤ 2.5 s', count: 7 },
    { label: '> 2.5 s', count: 1 },
  ])
})
