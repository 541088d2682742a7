import { expect, it } from 'vitest'
import { createStartQueue } from './start-queue.ts'

const never = new AbortController().signal

it('limits the number of simultaneous starts', async () => {
  const queue = createStartQueue(2, 60_000)
  const order: string[] = []
  const enter = async (name: string) => {
    const end = await queue.enter(never)
    order.push(name)
    return end
  }
  const endA = await enter('a')
  const endB = await enter('b')
  const c = enter('c')
  const d = enter('d')
  expect(order).toEqual(['a', 'b'])
  endA()
  endA()
  const endC = await c
  expect(order).toEqual(['a', 'b', 'c'])
  endB()
  endC()
  const endD = await d
  expect(order).toEqual(['a', 'b', 'c', 'd'])
  endD()
})

it('does not let a hanging start block the others', async () => {
  const queue = createStartQueue(1, 20)
  const endHanging = await queue.enter(never)
  const endNext = await queue.enter(never)
  endHanging()
  endNext()
})

it('skips an aborted start', async () => {
  const queue = createStartQueue(1, 60_000)
  const end = await queue.enter(never)
  const leaving = new AbortController()
  const left = queue.enter(leaving.signal)
  const next = queue.enter(never)
  leaving.abort(new Error('stopped'))
  await expect(left).rejects.toThrow('stopped')
  await expect(queue.enter(leaving.signal)).rejects.toThrow('stopped')
  end()
  const endNext = await next
  endNext()
})
