import { expect, it } from 'vitest'
import { storeTestsuite } from '../../../ports/store.testsuite.ts'
import { answeredRound, minute, prepare, resolveAll, round, settleRequest } from '../../../ports/store-samples.ts'
import { createMemoryStore } from './memory-store.ts'

storeTestsuite('memory', async () => {
  const store = createMemoryStore()
  return { store, reopen: async () => store.reopen(), cleanup: () => store.close() }
})

it('dumps rows in an order that is independent of the order of writing', async () => {
  const dumps = await Promise.all(
    [
      [0, 1, 2, 3],
      [2, 3, 1, 0],
    ].map(async (order) => {
      const store = createMemoryStore()
      await prepare(store)
      for (const count of order) await answeredRound(store, round(count), count % 2 === 0 ? ['a', 'b'] : ['b', 'a'])
      await store.settleRounds(settleRequest({ now: minute(90), limit: 3 }), (due) => resolveAll(due))
      return store.dump()
    }),
  )
  expect(dumps[0]?.scores).toHaveLength(6)
  expect(dumps[0]?.predictions).toHaveLength(8)
  expect(JSON.stringify(dumps[0])).toBe(JSON.stringify(dumps[1]))
})
