import { expect, it, vi } from 'vitest'
import type { Instant } from '../../domain/time.ts'
import { minute } from '../../ports/store-samples.ts'
import { createBoardArchive } from './board-archive.ts'

/** A board of two models at each end. */
const boards = async (ends: readonly Instant[]) =>
  ends.map((asOf) => ({
    ...{ asOf, era: 1, rankBy: 'recent' },
    places: [
      { modelId: 'a', rank: 1, value: asOf },
      { modelId: 'b', rank: null, value: null },
    ],
  }))

const ends = Array.from({ length: 60 }, (_, index) => minute(index))

it('reads many boards in parts, each once, and gives them oldest first', async () => {
  const rankingsAt = vi.fn(boards)
  const archive = createBoardArchive({ rankingsAt })
  const [found, again] = await Promise.all([archive.at(ends.toReversed()), archive.at(ends)])
  expect(found.map(({ asOf }) => asOf)).toEqual(ends)
  expect(again).toEqual(found)
  expect(rankingsAt.mock.calls.flat(2).toSorted()).toEqual(ends.toSorted())
  expect(Math.max(...rankingsAt.mock.calls.map(([part]) => part.length))).toBeLessThanOrEqual(25)
  expect([found[3]?.placeOf('a'), found[3]?.placeOf('b'), found[3]?.placeOf('c')]).toEqual([
    { rank: 1, value: minute(3) },
    { rank: null, value: null },
    undefined,
  ])
  expect(found[3]?.quantiles).toEqual(Array(5).fill(minute(3)))
})

it('forgets the boards that were asked for the longest ago', async () => {
  const rankingsAt = vi.fn(boards)
  const archive = createBoardArchive({ rankingsAt }, 4)
  const [first, second, third] = ends.slice(0, 3).map((end) => [end])
  for (const end of [first, second, first, third]) await archive.at(end as Instant[])
  expect(rankingsAt).toHaveBeenCalledTimes(3)
  await archive.at(first as Instant[])
  expect(rankingsAt).toHaveBeenCalledTimes(3)
  await archive.at(second as Instant[])
  expect(rankingsAt).toHaveBeenCalledTimes(4)
})
