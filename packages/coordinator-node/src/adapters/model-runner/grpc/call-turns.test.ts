import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CALLS_A_TURN, createCallTurns, LATE_MS } from './call-turns.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

afterEach(() => {
  vi.useRealTimers()
})

describe('Calls', () => {
  it('are sent at once as far as they fit a turn of the event loop, the others in the next ones, in order', async () => {
    const { take } = createCallTurns()
    const sent: number[] = []
    for (const number of numbers(2 * CALLS_A_TURN + 1)) take(() => sent.push(number))
    expect(sent).toEqual(numbers(CALLS_A_TURN))
    await setImmediate()
    expect(sent).toEqual(numbers(2 * CALLS_A_TURN))
    await setImmediate()
    expect(sent).toEqual(numbers(2 * CALLS_A_TURN + 1))
  })

  it('that come while others wait are sent after them', async () => {
    const { take } = createCallTurns()
    const sent: number[] = []
    for (const number of numbers(CALLS_A_TURN + 1)) take(() => sent.push(number))
    await Promise.resolve()
    take(() => sent.push(-1))
    await setImmediate()
    expect(sent.slice(CALLS_A_TURN)).toEqual([CALLS_A_TURN, -1])
  })

  it('are sent at once again after a turn', async () => {
    const { take } = createCallTurns()
    for (const _ of numbers(CALLS_A_TURN)) take(() => {})
    await setImmediate()
    let wasSent = false
    take(() => {
      wasSent = true
    })
    expect(wasSent).toBe(true)
  })

  it.each([
    { timeoutMs: 10_000, pauseMs: LATE_MS },
    { timeoutMs: 100, pauseMs: 5 },
  ])('that are late wait $pauseMs ms of $timeoutMs', ({ timeoutMs, pauseMs }) => {
    vi.useFakeTimers()
    const send = vi.fn()
    createCallTurns().takeLate(timeoutMs, send)
    vi.advanceTimersByTime(pauseMs - 1)
    expect(send).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(send).toHaveBeenCalledOnce()
  })
})
