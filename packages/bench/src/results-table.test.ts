import { describe, expect, it } from 'vitest'
import type { Measurement } from './measurements.ts'
import { resultRows, resultsMarkdown } from './results-table.ts'

const measurement: Measurement = {
  name: 'settle',
  method: 'for this test',
  figures: [
    { key: 'rate', label: 'settled', unit: '/s', atLeast: 5_000 },
    { key: 'late', label: 'late', unit: 'ms', atMost: 50 },
    { key: 'free', label: 'free', unit: 's' },
  ],
  needs: { database: false, modelCount: 0, steady: false },
  budgetMs: 1,
}

describe('the table of results', () => {
  it('compares the median with the target, not the best run', () => {
    const runs = [
      { rate: 9_000, late: 40, free: 1 },
      { rate: 4_000, late: 60.04, free: 2 },
      { rate: 4_321.9, late: 49, free: 3 },
    ]
    expect(resultRows([{ measurement, runs }])).toEqual([
      { what: 'settled', median: '4,320 /s', range: '4,000 to 9,000', runs: '3', target: '≥ 5,000 /s', isMissed: true },
      { what: 'late', median: '49 ms', range: '40 to 60', runs: '3', target: '≤ 50 ms', isMissed: false },
      { what: 'free', median: '2 s', range: '1 to 3', runs: '3', target: '', isMissed: false },
    ])
  })

  it('refuses a run that lacks a figure', () => {
    expect(() => resultRows([{ measurement, runs: [{ rate: 1, late: 1 }] }])).toThrow('no figure "free"')
  })

  it('marks missed targets in Markdown', () => {
    const text = resultsMarkdown(resultRows([{ measurement, runs: [{ rate: 1, late: 1, free: 1 }] }]))
    expect(text.split('\n')[2]).toBe('| settled | 1 /s | 1 to 1 | 1 | ≥ 5,000 /s | MISSED |')
  })
})
