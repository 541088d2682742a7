import { expect, it, vi } from 'vitest'
import { CALLS_A_COLLECTION, startYoungCollections } from './young-garbage.ts'

it('collects young garbage each time that enough calls were answered', () => {
  const collect = vi.fn()
  const countCalls = startYoungCollections(collect as unknown as typeof globalThis.gc)
  countCalls(CALLS_A_COLLECTION - 1)
  expect(collect).not.toHaveBeenCalled()
  countCalls(1)
  expect(collect.mock.calls).toEqual([[{ type: 'minor' }]])
  countCalls(CALLS_A_COLLECTION - 1)
  expect(collect).toHaveBeenCalledTimes(1)
  countCalls(3 * CALLS_A_COLLECTION)
  expect(collect).toHaveBeenCalledTimes(2)
})
