import { expect, test } from 'vitest'
import { createLargeAnswers } from './large-answers.ts'

function openReader() {
  const answers = createLargeAnswers()
  const order: string[] = []
  const read = async (name: string, bytes: number) => {
    await answers.turn(bytes)
    order.push(name)
  }
  return { read, order }
}

test('the smallest of the waiting answers is read first, and equal ones in order', async () => {
  const { read, order } = openReader()
  await Promise.all([read('huge', 5_000), read('one', 300), read('small', 60), read('other', 300)])
  expect(order).toEqual(['small', 'one', 'other', 'huge'])
})

test('a smaller answer that arrives later overtakes a larger one', async () => {
  const { read, order } = openReader()
  const small = read('small', 10).then(() => read('late', 500))
  await Promise.all([read('huge', 1_000), small])
  expect(order).toEqual(['small', 'late', 'huge'])
})

test('one answer is read per turn of the event loop, also after a pause', async () => {
  const { read, order } = openReader()
  const tick = (turn: number) => {
    order.push(`turn ${turn}`)
    if (turn < 4) setImmediate(tick, turn + 1)
  }
  setImmediate(tick, 1)
  await Promise.all([read('a', 1), read('b', 2), read('c', 3)])
  await read('d', 4)
  expect(order.slice(0, 8)).toEqual(['turn 1', 'a', 'turn 2', 'b', 'turn 3', 'c', 'turn 4', 'd'])
})
