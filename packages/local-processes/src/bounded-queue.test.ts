import { describe, expect, test } from 'vitest'
import { createBoundedQueue } from './bounded-queue.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('a bounded queue', () => {
  test('delivers items in order, and ends after the last', async () => {
    const queue = createBoundedQueue<number>(2)
    const found = all(queue.read())
    for (let item = 0; item < 10; item += 1) expect(await queue.push(item)).toBe(true)
    queue.end()
    expect(await found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await queue.push(10)).toBe(false)
  })

  test('makes writers wait while it is full', async () => {
    const queue = createBoundedQueue<number>(1)
    const pushed: number[] = []
    const writers = [1, 2, 3].map((item) => queue.push(item).then(() => pushed.push(item)))
    await writers[0]
    expect(pushed).toEqual([1])
    const reader = queue.read()
    expect((await reader.next()).value).toBe(1)
    await writers[1]
    expect(pushed).toEqual([1, 2])
    expect((await reader.next()).value).toBe(2)
    expect((await reader.next()).value).toBe(3)
  })

  test('counts items by weight, and always accepts one item of any weight', async () => {
    const queue = createBoundedQueue<readonly number[]>(10, (items) => items.length)
    await queue.push(Array.from({ length: 50 }, () => 0))
    let isIn = false
    const second = queue.push([1]).then(() => {
      isIn = true
    })
    await Promise.resolve()
    expect(isIn).toBe(false)
    expect((await queue.read().next()).value).toHaveLength(50)
    await second
    expect(isIn).toBe(true)
  })

  test('throws after the queued items', async () => {
    const queue = createBoundedQueue<number>(5)
    await queue.push(1)
    queue.fail(new Error('cut'))
    queue.end()
    const reader = queue.read()
    expect((await reader.next()).value).toBe(1)
    await expect(reader.next()).rejects.toThrow('cut')
  })

  test('releases waiting writers when its reader leaves or it is closed', async () => {
    const left = createBoundedQueue<number>(1)
    await left.push(1)
    const waiting = left.push(2)
    for await (const _ of left.read()) break
    expect(await left.push(3)).toBe(false)
    expect(typeof (await waiting)).toBe('boolean')
    const closed = createBoundedQueue<number>(1)
    await closed.push(1)
    const late = closed.push(2)
    closed.fail(new Error('cut'))
    expect(await late).toBe(false)
  })

  test('refuses an offered item that does not fit, until others are taken or dropped', async () => {
    const queue = createBoundedQueue<readonly number[]>(3, (items) => items.length)
    expect([[1, 1, 1, 1], [2]].map(queue.offer)).toEqual([true, false])
    expect(queue.drop()).toEqual([1, 1, 1, 1])
    expect([[2], [3, 3], [4]].map(queue.offer)).toEqual([true, true, false])
    expect(await queue.take()).toEqual([[2], [3, 3]])
    expect([queue.offer([5]), queue.drop(), queue.drop()]).toEqual([true, [5], undefined])
  })

  test('returns all queued items at once, then the end or the error', async () => {
    const queue = createBoundedQueue<number>(5)
    const first = queue.take()
    queue.offer(1)
    queue.offer(2)
    expect(await first).toEqual([1, 2])
    queue.offer(3)
    queue.fail(new Error('cut'))
    expect([queue.offer(4), await queue.take()]).toEqual([false, [3]])
    await expect(queue.take()).rejects.toThrow('cut')
    const ended = createBoundedQueue<number>(5)
    ended.end()
    expect(await ended.take()).toBeNull()
  })
})
