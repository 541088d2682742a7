import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLoader } from './loader.ts'

/** A loader whose requests are answered by hand. */
function loaderUnderTest(everyMs?: number) {
  const seen: unknown[] = []
  const requests: { answer(data: string): void; refuse(cause: string): void; signal: AbortSignal }[] = []
  const loader = createLoader<string>({
    read: (signal) => new Promise((answer, refuse) => requests.push({ answer, refuse, signal })),
    onData: (data) => seen.push(data),
    onError(cause) {
      seen.push({ cause })
      return cause === 'refused' ? 'final' : undefined
    },
    everyMs,
  })
  return { loader, seen, requests }
}

describe('a loader', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('has one request at a time, and reads once more what was asked for meanwhile', async () => {
    const { loader, seen, requests } = loaderUnderTest()
    for (let count = 0; count < 3; count += 1) loader.load()
    expect(requests).toHaveLength(1)
    requests[0]?.answer('old')
    await vi.advanceTimersByTimeAsync(0)
    requests[1]?.answer('new')
    await vi.advanceTimersByTimeAsync(60_000)
    expect([seen, requests.length]).toEqual([['old', 'new'], 2])
  })

  test('tries again after an error, ever more slowly, and forgets the delay after a success', async () => {
    const { loader, seen, requests } = loaderUnderTest()
    loader.load()
    for (const [index, waitMs] of [1_000, 2_000, 4_000].entries()) {
      requests[index]?.refuse('down')
      await vi.advanceTimersByTimeAsync(waitMs - 1)
      expect(requests).toHaveLength(index + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(requests).toHaveLength(index + 2)
    }
    requests[3]?.answer('up')
    await vi.advanceTimersByTimeAsync(60_000)
    expect([requests.length, seen]).toEqual([4, [{ cause: 'down' }, { cause: 'down' }, { cause: 'down' }, 'up']])
    loader.load()
    requests[4]?.refuse('down')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(requests).toHaveLength(6)
  })

  test('does not try again by itself after a final error, but when asked', async () => {
    const { loader, requests } = loaderUnderTest(10_000)
    loader.load()
    requests[0]?.refuse('refused')
    await vi.advanceTimersByTimeAsync(600_000)
    expect(requests).toHaveLength(1)
    loader.load()
    requests[1]?.answer('with another key')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(requests).toHaveLength(3)
  })

  test('ignores an answer that came after it was cancelled, and can read again', async () => {
    const { loader, seen, requests } = loaderUnderTest()
    loader.load()
    loader.cancel()
    expect(requests[0]?.signal.aborted).toBe(true)
    loader.load()
    requests[0]?.answer('of the old key')
    requests[1]?.answer('of the new key')
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toEqual(['of the new key'])
  })

  test('reads by itself when no event tells of changes', async () => {
    const { loader, requests } = loaderUnderTest(5_000)
    loader.load()
    requests[0]?.answer('first')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(requests).toHaveLength(2)
    loader.skip()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(requests).toHaveLength(3)
    loader.cancel()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(requests).toHaveLength(3)
  })
})
