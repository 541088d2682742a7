import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { type ModelIdentity, takesPart } from '../../domain/models/model.ts'
import type { Organizer } from '../../domain/models/model-role.ts'
import { minute, model, prepare, round } from '../../ports/store-samples.ts'
import { loadModelRegistry, type ObservedRunner } from './model-registry.ts'

const organizer: Organizer = { cruncherId: 'organizer', baselines: ['flat'] }

const runnerOf = (models: readonly ModelIdentity[], others: Partial<ObservedRunner> = {}): ObservedRunner => ({
  models: () => models,
  reachable: () => true,
  retirementOf: () => null,
  ...others,
})

async function openRegistry(store = createMemoryStore(), ofOrganizer = organizer) {
  const registry = await loadModelRegistry(store, ofOrganizer)
  /** The result of an observation at minute `count`, once it is stored. */
  async function observe(count: number, models: readonly ModelIdentity[], others: Partial<ObservedRunner> = {}) {
    const observed = registry.observe(runnerOf(models, others), minute(count))
    await observed.stored
    return observed
  }
  const retirements = async (id: string) => (await store.models()).find((row) => row.id === id)?.retirements
  return { store, registry, observe, retirements }
}

describe('the model registry', () => {
  test('registers connected models, ordered by id, and stores them', async () => {
    const { store, registry, observe } = await openRegistry()
    await observe(1, [model('b'), model('a')])
    expect(registry.models()).toEqual(
      ['a', 'b'].map((id) => ({ ...model(id), registeredAt: minute(1), retirements: [] })),
    )
    expect(await store.models()).toEqual(registry.models())
  })

  test('knows a new model at once, before it is stored', async () => {
    const registry = await loadModelRegistry(createMemoryStore(), organizer)
    const { stored } = registry.observe(runnerOf([model('a')]), minute(1))
    expect(registry.models()).toHaveLength(1)
    await stored
  })

  test('keeps the first registration of a model that returns with other names', async () => {
    const { store, registry, observe } = await openRegistry()
    await observe(1, [model('a')])
    for (const change of [{ name: 'n' }, { deploymentId: 'd' }, { cruncherName: 'o' }]) {
      await observe(2, [model('a', change)])
      expect(await store.models()).toEqual([{ ...model('a', change), registeredAt: minute(1), retirements: [] }])
      expect(registry.models()).toEqual(await store.models())
    }
  })

  test('does not write known models again, and keeps disconnected ones', async () => {
    const store = createMemoryStore()
    await store.registerModels([model('gone')], minute(0))
    let writes = 0
    const registry = await loadModelRegistry(
      {
        ...store,
        registerModels: (models, at) => {
          writes += 1
          return store.registerModels(models, at)
        },
      },
      organizer,
    )
    for (const models of [[model('a')], [model('a')], []]) await registry.observe(runnerOf(models), minute(1)).stored
    expect(writes).toBe(1)
    expect(registry.models().map(({ id }) => id)).toEqual(['a', 'gone'])
  })

  test('delays every round, even one without new models, until the models are stored', async () => {
    const store = createMemoryStore()
    let finish = () => {}
    const storing = new Promise<void>((resolve) => {
      finish = resolve
    })
    const registry = await loadModelRegistry(
      {
        ...store,
        async registerModels(models, at) {
          await storing
          return store.registerModels(models, at)
        },
      },
      organizer,
    )
    const order: string[] = []
    const runner = runnerOf([model('a')])
    const first = registry.observe(runner, minute(1)).stored.then(() => order.push('first'))
    const second = registry.observe(runner, minute(2)).stored.then(async () => {
      order.push('second')
      expect(await store.models()).toHaveLength(1)
    })
    await Promise.resolve()
    expect(order).toEqual([])
    finish()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
  })
})

describe('a retirement', () => {
  test('begins when the runner gives a reason, and ends at the instant at which the model runs again', async () => {
    const { observe, retirements } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [])
    expect(await retirements('a')).toEqual([])
    const gone = { retirementOf: () => 'it was removed' }
    const { changes } = await observe(3, [], gone)
    expect(changes).toEqual([
      { kind: 'retired', modelId: 'a', cruncherId: model('a').cruncherId, reason: 'it was removed' },
    ])
    expect((await observe(4, [], gone)).changes).toEqual([])
    expect((await observe(5, [model('a', { deploymentId: 'next' })])).changes).toMatchObject([{ kind: 'returned' }])
    expect(await retirements('a')).toEqual([{ from: minute(3), until: minute(5), reason: 'it was removed' }])
  })

  test('never begins while the orchestrator is unreachable', async () => {
    const { observe, retirements } = await openRegistry()
    await observe(1, [model('a')])
    const away = { reachable: () => false, retirementOf: () => 'it was removed' }
    for (const count of [2, 3, 5_000]) await observe(count, [], away)
    expect(await retirements('a')).toEqual([])
  })

  test('continues after a restart, even if the new process does not know the reason', async () => {
    const { store, observe } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [], { retirementOf: () => 'it was removed' })
    const next = await openRegistry(store)
    await next.observe(3, [])
    expect(await next.retirements('a')).toEqual([{ from: minute(2), until: null, reason: 'it was removed' }])
  })
})

describe('rounds of one instant', () => {
  const gone = { retirementOf: () => 'it was removed' }

  test('have the same models: a retirement detected in between begins after the instant', async () => {
    const { observe, registry, retirements } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [model('a')])
    await observe(2, [], gone)
    expect(registry.models().map((row) => takesPart(row, minute(2)))).toEqual([true])
    expect(await retirements('a')).toEqual([{ from: minute(2) + 1, until: null, reason: 'it was removed' }])
    // A record of another series, known a minute earlier, arrives later.
    await observe(3, [], gone)
    await observe(2, [model('a')])
    expect(registry.models().map((row) => takesPart(row, minute(3)))).toEqual([false])
    expect(await retirements('a')).toMatchObject([{ from: minute(2) + 1, until: minute(3) + 1 }])
  })

  test('omit a model that joins or returns in between', async () => {
    const { store, observe } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [], gone)
    await observe(3, [])
    await observe(3, [model('a'), model('new')])
    expect(await store.models()).toMatchObject([
      { id: 'a', retirements: [{ from: minute(2), until: minute(3) + 1 }] },
      { id: 'new', registeredAt: minute(3) + 1 },
    ])
  })

  test('have the same models even if the process is restarted in between', async () => {
    const { store, observe } = await openRegistry()
    await prepare(store, [])
    await observe(2, [model('a')])
    await store.openRound(round(2))
    const next = await openRegistry(store)
    await next.observe(2, [], gone)
    expect(await next.retirements('a')).toMatchObject([{ from: minute(2) + 1 }])
  })
})

describe("an organizer's model", () => {
  const organizers = (name: string) => model('f', { name, cruncherId: 'organizer' })

  test.each([
    ['flat', 'naive'],
    ['flat', 'demo'],
    ['demo', 'flat'],
  ])(
    'named %j cannot become %j: it keeps its name and role, and is retired until it has that name again',
    async (name, next) => {
      const { store, observe } = await openRegistry(createMemoryStore(), { ...organizer, baselines: ['flat', 'naive'] })
      await observe(1, [organizers(name)])
      const { refused, histories, changes } = await observe(2, [organizers(next)])
      expect([...refused]).toEqual(['f'])
      expect(histories.size).toBe(0)
      const reason = expect.stringMatching(new RegExp(`"${name}".*cannot become "${next}".*under another id`))
      expect(changes).toMatchObject([
        { kind: 'refused', reason },
        { kind: 'retired', reason },
      ])
      expect(await store.models()).toMatchObject([{ name, retirements: [{ from: minute(2), until: null, reason }] }])
      await observe(3, [organizers(name)])
      expect(await store.models()).toMatchObject([{ name, retirements: [{ until: minute(3) }] }])
    },
  )

  test('can change its name if its role stays the same', async () => {
    const { store, observe } = await openRegistry()
    for (const [first, next] of [
      ['flat', ' Flat'],
      ['demo', 'show'],
    ] as const) {
      // biome-ignore format: a table
      const id = `of-${first}`
      await observe(1, [{ ...organizers(first), id, deploymentId: id }])
      expect((await observe(2, [{ ...organizers(next), id, deploymentId: id }])).refused.size).toBe(0)
      expect((await store.models()).find((row) => row.id === id)?.name).toBe(next)
    }
  })
})

describe('an id that is announced under another cruncher', () => {
  const thief = model('a', { cruncherId: 'thief', deploymentId: 'd2' })

  test('is refused and retires the model that it belongs to; the log explains how to begin a new history', async () => {
    const { observe, retirements, store } = await openRegistry()
    await observe(1, [model('a')])
    const { refused, histories, changes } = await observe(2, [thief])
    expect([...refused]).toEqual(['a'])
    expect(histories.size).toBe(0)
    const reason = expect.stringMatching(
      /belongs to cruncher "c-a".*under "thief".*crunch models reassign a --to thief/,
    )
    expect(changes).toEqual([
      { kind: 'refused', modelId: 'a', cruncherId: 'thief', reason },
      { kind: 'retired', modelId: 'a', cruncherId: 'c-a', reason },
    ])
    expect((await observe(3, [thief])).changes).toEqual([])
    expect(await retirements('a')).toMatchObject([{ from: minute(2), until: null }])
    expect(await store.models()).toMatchObject([{ id: 'a', cruncherId: 'c-a' }])
    await observe(4, [model('a')])
    expect(await retirements('a')).toMatchObject([{ from: minute(2), until: minute(4) }])
  })

  test('begins a new history after a decision of the operator, which ends the history of the first owner', async () => {
    const { observe, store } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [thief])
    await store.reassignModel('a', 'thief', minute(2))
    // One observation detects the operator's decision; it applies from the next one on.
    await observe(3, [thief])
    const { histories, refused } = await observe(4, [thief])
    expect([...histories]).toEqual([['a', 'a~2']])
    expect(refused.size).toBe(0)
    expect(await store.models()).toMatchObject([
      {
        ...{ id: 'a', cruncherId: 'c-a', registeredAt: minute(1) },
        // The operator is not asked again.
        retirements: [
          { from: minute(2), until: minute(4) },
          { from: minute(4), until: null, reason: 'its id was given to cruncher "thief", whose history is a~2' },
        ],
      },
      { id: 'a~2', cruncherId: 'thief', registeredAt: minute(4), retirements: [] },
    ])
    const { refused: first } = await observe(5, [model('a')])
    expect([...first]).toEqual(['a'])
  })

  test('no longer needs the operator once both are removed; the model stays retired', async () => {
    const { observe, store } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [thief])
    await observe(3, [])
    const gone = { retirementOf: () => 'it was removed' }
    const { changes } = await observe(4, [], gone)
    expect(changes).toEqual([{ kind: 'retired', modelId: 'a', cruncherId: 'c-a', reason: 'it was removed' }])
    expect((await observe(5, [], gone)).changes).toEqual([])
    expect(await store.models()).toMatchObject([
      {
        retirements: [
          { from: minute(2), until: minute(4) },
          { from: minute(4), until: null, reason: 'it was removed' },
        ],
      },
    ])
  })

  test('also needs the operator if the model that it belongs to was removed before', async () => {
    const { observe, retirements } = await openRegistry()
    await observe(1, [model('a')])
    await observe(2, [], { retirementOf: () => 'it was removed' })
    await observe(3, [thief])
    await observe(4, [thief])
    expect(await retirements('a')).toEqual([
      { from: minute(2), until: minute(3), reason: 'it was removed' },
      { from: minute(3), until: null, reason: expect.stringMatching(/^the id belongs to cruncher "c-a"/) },
    ])
  })

  test('is also refused if it looks like the second history of another id', async () => {
    const { observe, store } = await openRegistry()
    expect([...(await observe(1, [model('a~2'), model('~2')])).refused]).toEqual(['a~2', '~2'])
    expect(await store.models()).toEqual([])
  })

  test('is refused if its deployment belongs to another model', async () => {
    const { observe, store } = await openRegistry()
    await observe(1, [model('a')])
    const moved = model('b', { deploymentId: 'deployment-a' })
    expect((await observe(2, [moved])).changes).toMatchObject([
      { kind: 'refused', modelId: 'b', reason: 'its deployment "deployment-a" belongs to model a' },
    ])
    const next = await openRegistry(store)
    expect([...(await next.observe(3, [moved])).refused]).toEqual(['b'])
    expect((await store.models()).map(({ id }) => id)).toEqual(['a'])
  })
})
