import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CALLS_A_TURN, createCallTurns, LATE_MS } from './call-turns.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
let nowMs = 0

beforeEach(() => {
  nowMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Names of the callers that have had a turn, in order. */
function openDispatch(turns = createCallTurns(), timeoutMs = 10_000) {
  const { first, last, answered, close } = turns.open(timeoutMs)
  const sent: string[] = []
  return {
    sent,
    answered,
    close,
    first: (name: string) => void first().then(() => sent.push(name)),
    last: (name: string) => void last().then(() => sent.push(name)),
  }
}

describe('Calls', () => {
  it('are sent in order: those that fit into this turn of the event loop at once, the others in the next turns', async () => {
    const { first, sent } = openDispatch()
    const names = numbers(2 * CALLS_A_TURN + 1).map(String)
    for (const name of names) first(name)
    await Promise.resolve()
    expect(sent).toEqual(names.slice(0, CALLS_A_TURN))
    await setImmediate()
    expect(sent).toEqual(names.slice(0, 2 * CALLS_A_TURN))
    await setImmediate()
    expect(sent).toEqual(names)
  })

  it('of two dispatches share turns', async () => {
    const turns = createCallTurns()
    const [one, other] = [openDispatch(turns), openDispatch(turns)]
    for (const number of numbers(CALLS_A_TURN)) one.first(String(number))
    other.first('other')
    await Promise.resolve()
    expect(other.sent).toEqual([])
    await setImmediate()
    expect(other.sent).toEqual(['other'])
    other.first('once more')
    await Promise.resolve()
    expect(other.sent).toEqual(['other', 'once more'])
  })

  it('are all sent after a turn that took too long', async () => {
    const { first, sent } = openDispatch()
    for (const number of numbers(5 * CALLS_A_TURN)) first(String(number))
    nowMs = 6
    await setImmediate()
    expect(sent).toHaveLength(5 * CALLS_A_TURN)
  })
})

describe('Quiet', () => {
  it('is signalled when only late calls are open, with the number of answered calls', async () => {
    const onQuiet = vi.fn()
    const turns = createCallTurns(onQuiet)
    const [one, other] = [openDispatch(turns), openDispatch(turns)]
    for (const dispatch of [one, one, other]) dispatch.first('a')
    one.last('late')
    one.close()
    one.answered()
    one.answered()
    await setImmediate()
    expect(onQuiet).not.toHaveBeenCalled()
    other.answered()
    expect(onQuiet).not.toHaveBeenCalled()
    await setImmediate()
    expect(onQuiet.mock.calls).toEqual([[3]])
    one.first('b')
    one.answered()
    await setImmediate()
    expect(onQuiet.mock.calls).toEqual([[3], [1]])
  })

  it('is not signalled when the receiver of the last answer calls again', async () => {
    const onQuiet = vi.fn()
    const turns = createCallTurns(onQuiet)
    const dispatch = openDispatch(turns)
    dispatch.first('a')
    dispatch.answered()
    dispatch.first('b')
    await setImmediate()
    expect(onQuiet).not.toHaveBeenCalled()
    dispatch.answered()
    await setImmediate()
    expect(onQuiet.mock.calls).toEqual([[2]])
  })
})

describe('Calls that are late', () => {
  it('are sent once the others are answered', async () => {
    const { first, last, answered, close, sent } = openDispatch()
    last('late')
    first('a')
    first('b')
    close()
    answered()
    await setImmediate()
    expect(sent).toEqual(['a', 'b'])
    answered()
    await Promise.resolve()
    expect(sent).toEqual(['a', 'b', 'late'])
  })

  it('are sent at once when there are no others', async () => {
    const { last, close, sent } = openDispatch()
    last('a')
    last('b')
    await setImmediate()
    expect(sent).toEqual([])
    close()
    await Promise.resolve()
    expect(sent).toEqual(['a', 'b'])
  })

  it.each([
    { timeoutMs: 10_000, pauseMs: LATE_MS },
    { timeoutMs: 100, pauseMs: 5 },
  ])('wait $pauseMs ms of a time limit of $timeoutMs ms', async ({ timeoutMs, pauseMs }) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { first, last, close, sent } = openDispatch(createCallTurns(), timeoutMs)
    last('late')
    first('hangs')
    close()
    await vi.advanceTimersByTimeAsync(pauseMs - 1)
    expect(sent).toEqual(['hangs'])
    await vi.advanceTimersByTimeAsync(1)
    expect(sent).toEqual(['hangs', 'late'])
  })
})
