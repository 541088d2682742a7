import { expect, it } from 'vitest'
import type { ApiKey } from '../domain/access/api-key.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import { minute } from './store-samples.ts'

const apiKey = (id: string, changes: Partial<ApiKey> = {}): ApiKey => ({
  id,
  name: `name of ${id}`,
  scope: 'read',
  cruncherId: null,
  hash: `hash of ${id}`,
  createdAt: minute(0),
  endsAt: null,
  endReason: null,
  ...changes,
})

export function keyTests(context: StoreUnderTest): void {
  it('keeps keys as they are, ordered by time and id', async () => {
    const other = await context.other()
    const alice = apiKey('b', { scope: 'participant', cruncherId: "ali'ce \u0000ü", name: 'Alice, main' })
    const keys = [apiKey('z', { scope: 'admin' }), alice, apiKey('a', { createdAt: minute(1) })]
    for (const key of [...keys].reverse()) expect(await context.store.addApiKey(key)).toBe(true)
    expect(await other.apiKeys()).toEqual([alice, keys[0], keys[2]])
  })

  it('refuses a second key of a name that has no end, also concurrently', async () => {
    const other = await context.other()
    const added = await Promise.all([
      context.store.addApiKey(apiKey('a', { name: 'x' })),
      other.addApiKey(apiKey('b', { name: 'x' })),
    ])
    expect(added.filter(Boolean)).toHaveLength(1)
    expect(await context.store.apiKeys()).toHaveLength(1)
    await context.store.revokeApiKeys('x', minute(1))
    expect(await context.store.addApiKey(apiKey('c', { name: 'x', createdAt: minute(2) }))).toBe(true)
  })

  it('rotates a key: the next one has its scope, and it stays valid until its end', async () => {
    const { store } = context
    const first = apiKey('a', { name: 'x', scope: 'participant', cruncherId: 'alice' })
    await store.addApiKey(first)
    await store.addApiKey(apiKey('other'))
    const made = await store.rotateApiKey('x', { id: 'b', hash: 'new', createdAt: minute(5) }, minute(10))
    expect(made).toEqual({ ...first, id: 'b', hash: 'new', createdAt: minute(5) })
    expect(await store.apiKeys()).toEqual([
      { ...first, endsAt: minute(10), endReason: 'rotated' },
      apiKey('other'),
      made,
    ])
    const ids = async (from: number) => (await store.apiKeys(from)).map(({ id }) => id)
    expect(await ids(minute(10) - 1)).toEqual(['a', 'other', 'b'])
    expect(await ids(minute(10))).toEqual(['other', 'b'])
    expect(await store.rotateApiKey('y', { id: 'c', hash: 'c', createdAt: minute(6) }, minute(6))).toBeNull()
    expect(await store.apiKeys()).toHaveLength(3)
  })

  it('rotates once if several ask at a time with one next key each', async () => {
    const other = await context.other()
    await context.store.addApiKey(apiKey('a', { name: 'x' }))
    const next = (id: string) => ({ id, hash: id, createdAt: minute(1) })
    await Promise.all([
      context.store.rotateApiKey('x', next('b'), minute(2)),
      other.rotateApiKey('x', next('c'), minute(2)),
    ])
    expect((await context.store.apiKeys()).filter(({ endsAt }) => endsAt === null)).toHaveLength(1)
  })

  it('revokes all valid keys of a name, and changes no key that has ended', async () => {
    const { store } = context
    const ended = apiKey('ended', { name: 'x', endsAt: minute(2), endReason: 'rotated' })
    await store.addApiKey(ended)
    await store.addApiKey(apiKey('a', { name: 'x', endsAt: minute(20), endReason: 'rotated' }))
    await store.addApiKey(apiKey('b', { name: 'x' }))
    await store.addApiKey(apiKey('c', { name: 'y' }))
    expect(await store.revokeApiKeys('x', minute(10))).toBe(2)
    expect((await store.apiKeys(minute(10))).map(({ id }) => id)).toEqual(['c'])
    expect(await store.apiKeys()).toContainEqual(ended)
    expect(await store.apiKeys()).toContainEqual(apiKey('a', { name: 'x', endsAt: minute(10), endReason: 'revoked' }))
    expect(await store.revokeApiKeys('x', minute(11))).toBe(0)
  })
}
