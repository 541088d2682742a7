import { expect, test } from 'vitest'
import { mapInSlices, runInTurns } from './sliced-work.ts'

const lengths = [3, 1, 2, 5, 1, 1]
const doubled = () =>
  mapInSlices(
    lengths,
    4,
    (length) => length,
    (length, index) => length * 2 + index,
  )

test('work gives a turn after each slice, none before the first or after the last', async () => {
  const order: string[] = []
  const work = mapInSlices(
    lengths,
    4,
    (length) => length,
    (length) => order.push(String(length)),
  )
  await runInTurns(work, async () => void order.push('turn'))
  expect(order.join(' ')).toBe('3 1 turn 2 5 turn 1 1')
})

test('slices do not change the result', async () => {
  expect(await runInTurns(doubled(), async () => undefined)).toEqual([6, 3, 6, 13, 6, 7])
  expect(
    await runInTurns(
      mapInSlices(
        [],
        4,
        () => 1,
        () => 1,
      ),
      async () => undefined,
    ),
  ).toEqual([])
})

test('a failed turn ends the work', async () => {
  const turn = async () => {
    throw new Error('stopped')
  }
  await expect(runInTurns(doubled(), turn)).rejects.toThrow('stopped')
})
