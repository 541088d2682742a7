import { expect, it } from 'vitest'
import { jobProgress } from './job-progress.ts'

it('is the share of the range before the cursor, and all of it once the job is complete', () => {
  const range = { start_ts: '2026-03-01T00:00:00.000Z', end_ts: '2026-03-05T00:00:00.000Z' }
  const at = (day: number, status = 'running') =>
    jobProgress({ ...range, status, cursor_ts: `2026-03-0${day}T00:00:00.000Z` })
  expect([at(1), at(2), at(5), at(9), at(2, 'completed')]).toEqual([0, 0.25, 1, 1, 1])
  expect(jobProgress({ ...range, end_ts: range.start_ts, status: 'failed', cursor_ts: range.start_ts })).toBe(0)
})
