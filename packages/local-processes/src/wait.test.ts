import { expect, it } from 'vitest'
import { wait } from './wait.ts'

it('ends after its time, or at once when the signal aborts', async () => {
  expect(await wait(1)).toBe(true)
  expect(await wait(-5, new AbortController().signal)).toBe(true)
  expect(await wait(3_600_000, AbortSignal.abort())).toBe(false)
  const ending = new AbortController()
  const waiting = wait(3_600_000, ending.signal)
  ending.abort()
  expect(await waiting).toBe(false)
})

it('does not end at once when it is longer than a timer can be', async () => {
  const ending = new AbortController()
  const first = await Promise.race([wait(2 ** 31, ending.signal).then(() => 'long'), wait(20).then(() => 'short')])
  ending.abort()
  expect(first).toBe('short')
})
