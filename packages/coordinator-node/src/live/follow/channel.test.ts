import { describe, expect, test } from 'vitest'
import { createChannel } from './channel.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('a channel', () => {
  test('hands items over in order, and ends behind the last', async () => {
    const channel = createChannel<number>(2)
    const found = all(channel.read())
    for (let item = 0; item < 10; item += 1) expect(await channel.push(item)).toBe(true)
    channel.end()
    expect(await found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await channel.push(10)).toBe(false)
  })

  test('lets writers wait while it is full', async () => {
    const channel = createChannel<number>(1)
    const pushed: number[] = []
    const writers = [1, 2, 3].map((item) => channel.push(item).then(() => pushed.push(item)))
    await writers[0]
    expect(pushed).toEqual([1])
    const reader = channel.read()
    expect((await reader.next()).value).toBe(1)
    await writers[1]
    expect(pushed).toEqual([1, 2])
    expect((await reader.next()).value).toBe(2)
    expect((await reader.next()).value).toBe(3)
  })

  test('may count what weighs more as more, and takes one of any weight', async () => {
    const channel = createChannel<readonly number[]>(10, (items) => items.length)
    await channel.push(Array.from({ length: 50 }, () => 0))
    let isIn = false
    const second = channel.push([1]).then(() => {
      isIn = true
    })
    await Promise.resolve()
    expect(isIn).toBe(false)
    expect((await channel.read().next()).value).toHaveLength(50)
    await second
    expect(isIn).toBe(true)
  })

  test('throws behind the items that are in', async () => {
    const channel = createChannel<number>(5)
    await channel.push(1)
    channel.fail(new Error('cut'))
    channel.end()
    const reader = channel.read()
    expect((await reader.next()).value).toBe(1)
    await expect(reader.next()).rejects.toThrow('cut')
  })

  test('lets waiting writers go when its reader leaves, and when it is closed', async () => {
    const left = createChannel<number>(1)
    await left.push(1)
    const waiting = left.push(2)
    for await (const _ of left.read()) break
    expect(await left.push(3)).toBe(false)
    expect(typeof (await waiting)).toBe('boolean')
    const closed = createChannel<number>(1)
    await closed.push(1)
    const late = closed.push(2)
    closed.fail(new Error('cut'))
    expect(await late).toBe(false)
  })
})
