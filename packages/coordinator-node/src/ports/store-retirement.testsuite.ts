import { expect, it } from 'vitest'
import type { Retirement } from '../domain/models/model.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import { minute, model, prepare } from './store-samples.ts'

export function retirementTests(context: StoreUnderTest): void {
  const retirements = async (): Promise<Readonly<Record<string, readonly Retirement[]>>> =>
    Object.fromEntries((await context.store.models()).map((row) => [row.id, row.retirements]))

  it('stores all retirements of a model, oldest first', async () => {
    const { store } = context
    await prepare(store)
    expect(await retirements()).toEqual({ a: [], b: [] })
    await store.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(1))
    await store.endRetirements(['a', 'b', 'unknown'], minute(3))
    await store.beginRetirements(
      [
        { modelId: 'b', reason: 'removed\u0000' },
        { modelId: 'a', reason: 'quarantined' },
      ],
      minute(5),
    )
    expect(await retirements()).toEqual({
      a: [
        { from: minute(1), until: minute(3), reason: 'removed' },
        { from: minute(5), until: null, reason: 'quarantined' },
      ],
      b: [{ from: minute(5), until: null, reason: 'removed\u0000' }],
    })
  })

  it('ignores a repeated begin or end of a retirement', async () => {
    const { store } = context
    await prepare(store)
    for (const [count, reason] of [
      [1, 'removed'],
      [2, 'quarantined'],
    ] as const) {
      // biome-ignore format: a table
      await store.beginRetirements([{ modelId: 'a', reason }], minute(count))
    }
    expect((await retirements()).a).toEqual([{ from: minute(1), until: null, reason: 'removed' }])
    await store.endRetirements(['a'], minute(3))
    await store.endRetirements(['a'], minute(4))
    expect((await retirements()).a).toEqual([{ from: minute(1), until: minute(3), reason: 'removed' }])
  })

  it('never lets spans overlap, and drops empty ones', async () => {
    const { store } = context
    await prepare(store)
    const begin = (count: number) => store.beginRetirements([{ modelId: 'a', reason: `at ${count}` }], minute(count))
    await begin(1)
    await store.endRetirements(['a'], minute(1))
    expect((await retirements()).a).toEqual([])
    await begin(2)
    await store.endRetirements(['a'], minute(4))
    await begin(3)
    expect((await retirements()).a).toEqual([
      { from: minute(2), until: minute(4), reason: 'at 2' },
      { from: minute(4), until: null, reason: 'at 3' },
    ])
  })

  it('refuses an unregistered model, and then retires none', async () => {
    const { store } = context
    await prepare(store)
    const both = ['a', 'unknown'].map((modelId) => ({ modelId, reason: 'removed' }))
    await expect(store.beginRetirements(both, minute(1))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await retirements()).a).toEqual([])
  })

  it('keeps retirements when a model is renamed', async () => {
    const { store } = context
    await prepare(store)
    await store.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(1))
    await store.registerModels([model('a', { name: 'new' })], minute(2))
    expect((await retirements()).a).toEqual([{ from: minute(1), until: null, reason: 'removed' }])
  })

  it('is visible to another store on the same data', async () => {
    await prepare(context.store)
    const other = await context.other()
    await other.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(1))
    expect((await retirements()).a).toHaveLength(1)
  })

  it('gives a reassigned id a new history, once per change of cruncher', async () => {
    const { store } = context
    await prepare(store)
    expect(await store.reassignments()).toEqual([])
    const [first, second, third] = [
      { modelId: 'b', historyId: 'b~2', cruncherId: 'x\u0000', at: minute(2) },
      { modelId: 'a', historyId: 'a~2', cruncherId: 'y', at: minute(3) },
      { modelId: 'b', historyId: 'b~3', cruncherId: 'c-b', at: minute(4) },
    ] as const
    expect(await store.reassignModel('b', 'c-b', minute(1))).toBeNull()
    expect(await store.reassignModel('b', 'x\u0000', minute(2))).toEqual(first)
    expect(await store.reassignModel('b', 'x\u0000', minute(3))).toBeNull()
    expect(await store.reassignModel('a', 'y', minute(3))).toEqual(second)
    expect(await store.reassignModel('b', 'c-b', minute(4))).toEqual(third)
    expect(await store.reassignments()).toEqual([second, first, third])
  })

  it('reassigns once for two concurrent requests', async () => {
    await prepare(context.store)
    const other = await context.other()
    const made = await Promise.all([context.store, other].map((store) => store.reassignModel('a', 'x', minute(1))))
    expect(made.filter((one) => one !== null)).toHaveLength(1)
    expect(await context.store.reassignments()).toHaveLength(1)
  })

  it('reassigns no id that was never registered', async () => {
    await prepare(context.store)
    await expect(context.store.reassignModel('unknown', 'x', minute(1))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps the cruncher that a model was registered with', async () => {
    const { store } = context
    await prepare(store)
    await store.registerModels([model('a', { cruncherId: 'thief' })], minute(1))
    expect((await store.models())[0]).toMatchObject({ id: 'a', cruncherId: 'c-a' })
  })
}
