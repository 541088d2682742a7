import { describe, expect, test } from 'vitest'
import { createRequestBudget } from './request-budget.ts'

describe('a budget of requests', () => {
  test('allows at most its count of requests in any window', async () => {
    let nowMs = 1_000
    const time = {
      now: () => nowMs,
      wait: async (lengthMs: number) => {
        nowMs += lengthMs
      },
    }
    const budget = createRequestBudget(2, 60, time)
    const takenAt: number[] = []
    for (const elapsedMs of [0, 10, 49, 0, 0]) {
      nowMs += elapsedMs
      await budget(new AbortController().signal)
      takenAt.push(nowMs - 1_000)
    }
    expect(takenAt).toEqual([0, 10, 60, 70, 120])
  })

  test('does not delay an aborted request', async () => {
    const budget = createRequestBudget(1, 3_600_000)
    const stop = new AbortController()
    await budget(stop.signal)
    const waiting = budget(stop.signal)
    stop.abort()
    await expect(waiting).resolves.toBeUndefined()
  })
})
