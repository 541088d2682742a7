import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { minute, model } from '../../ports/store-samples.ts'
import { loadModelRegistry } from './model-registry.ts'

describe('the model registry', () => {
  test('takes connected models in, in order of id, and stores them', async () => {
    const store = createMemoryStore()
    const registry = await loadModelRegistry(store)
    await registry.register([model('b'), model('a')], minute(1))
    expect(registry.models()).toEqual(
      ['a', 'b'].map((id) => ({ ...model(id), registeredAt: minute(1), retirements: [] })),
    )
    expect(await store.models()).toEqual(registry.models())
  })

  test('knows a new model at once, before it is stored', async () => {
    const registry = await loadModelRegistry(createMemoryStore())
    const stored = registry.register([model('a')], minute(1))
    expect(registry.models()).toHaveLength(1)
    await stored
  })

  test('keeps the first registration of a model that comes again with other names', async () => {
    const store = createMemoryStore()
    const registry = await loadModelRegistry(store)
    await registry.register([model('a')], minute(1))
    for (const change of [{ name: 'n' }, { deploymentId: 'd' }, { cruncherId: 'c' }, { cruncherName: 'o' }]) {
      await registry.register([model('a', change)], minute(2))
      expect(await store.models()).toEqual([{ ...model('a', change), registeredAt: minute(1), retirements: [] }])
      expect(registry.models()).toEqual(await store.models())
    }
  })

  test('writes nothing for models that it knows, and forgets none that is gone', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('gone')], minute(0))
    let writes = 0
    const registry = await loadModelRegistry({
      models: store.models,
      registerModels: (models, at) => {
        writes += 1
        return store.registerModels(models, at)
      },
    })
    await registry.register([model('a')], minute(1))
    await registry.register([model('a')], minute(2))
    await registry.register([], minute(3))
    expect(writes).toBe(1)
    expect(registry.models().map(({ id }) => id)).toEqual(['a', 'gone'])
  })

  test('lets nobody go on before the models are stored, also who brings none', async () => {
    const store = createMemoryStore()
    let finish = () => {}
    const storing = new Promise<void>((resolve) => {
      finish = resolve
    })
    const registry = await loadModelRegistry({
      models: store.models,
      async registerModels(models, at) {
        await storing
        return store.registerModels(models, at)
      },
    })
    const order: string[] = []
    const first = registry.register([model('a')], minute(1)).then(() => order.push('first'))
    const second = registry.register([model('a')], minute(2)).then(async () => {
      order.push('second')
      expect(await store.models()).toHaveLength(1)
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    finish()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
  })
})
