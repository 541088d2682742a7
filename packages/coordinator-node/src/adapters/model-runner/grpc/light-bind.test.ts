import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, test } from 'vitest'
import { lightenBind } from './light-bind.ts'

beforeAll(lightenBind)

describe('the light bind', () => {
  test('runs the function in the scope of its resource, with what it is called with', () => {
    const resource = new AsyncResource('Test')
    const bound = resource.bind(function (this: unknown, a: number, b: number) {
      return [executionAsyncId(), this, a, b]
    })
    const self = { bound }
    expect(self.bound(1, 2)).toEqual([resource.asyncId(), self, 1, 2])
    expect(bound.length).toBe(2)
    expect(executionAsyncId()).not.toBe(resource.asyncId())
  })

  test('keeps what it is bound to', () => {
    const self = { name: 'self' }
    const greet = function (this: unknown, greeting: string) {
      return `${greeting} ${(this as typeof self).name}`
    }
    // Newer types have left `thisArg` out; Node takes it.
    const bind: (fn: typeof greet, thisArg: unknown) => typeof greet = AsyncResource.prototype.bind.bind(
      new AsyncResource('Test'),
    )
    const bound = bind(greet, self)
    expect(bound.call({ name: 'other' }, 'hello')).toBe('hello self')
    expect(bound.length).toBe(1)
  })

  test('refuses what is no function, as Node does', () => {
    expect(() => new AsyncResource('Test').bind('no function' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })

  test('keeps the store of an AsyncLocalStorage', () => {
    const storage = new AsyncLocalStorage<string>()
    const bound = storage.run('inside', () => AsyncResource.bind(() => storage.getStore()))
    expect(storage.run('outside', () => bound())).toBe('inside')
  })

  test('lets the collector of young objects take what it held', () => {
    setFlagsFromString('--expose-gc')
    const collect: (options?: { type: 'minor' }) => void = runInNewContext('gc')
    collect()
    const before = getHeapStatistics().used_heap_size
    for (let i = 0; i < 1_000; i += 1) {
      const held = new Array(1_000).fill(i)
      new AsyncResource('Test').bind(() => held)
    }
    // What lives through two of them is old, and stays until a full collection.
    for (let i = 0; i < 3; i += 1) collect({ type: 'minor' })
    expect(getHeapStatistics().used_heap_size - before).toBeLessThan(1_000_000)
  })
})
