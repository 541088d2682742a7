import { describe, expect, test } from 'vitest'
import { createRequestBudget } from './request-budget.ts'

describe('a budget of requests', () => {
  test('lets no more than its count into any window', async () => {
    const windowMs = 60
    const budget = createRequestBudget(2, windowMs)
    const startedAt = performance.now()
    const never = new AbortController().signal
    const takenAt = await Promise.all(
      Array.from({ length: 5 }, async () => {
        await budget(never)
        return performance.now() - startedAt
      }),
    )
    takenAt.sort((one, other) => one - other)
    expect(takenAt[1]).toBeLessThan(windowMs)
    expect(takenAt[2]! - takenAt[0]!).toBeGreaterThanOrEqual(windowMs - 5)
    expect(takenAt[4]! - takenAt[2]!).toBeGreaterThanOrEqual(windowMs - 5)
  })

  test('does not hold up what is aborted', async () => {
    const budget = createRequestBudget(1, 3_600_000)
    const stop = new AbortController()
    await budget(stop.signal)
    const waiting = budget(stop.signal)
    stop.abort()
    await expect(waiting).resolves.toBeUndefined()
  })
})
