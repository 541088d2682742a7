import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rankByValue } from './ranking.ts'

type Item = readonly [id: string, value: number | null]

function rank(items: readonly Item[], direction: 'asc' | 'desc'): string[] {
  return rankByValue(
    items,
    ([, value]) => value,
    ([id]) => id,
    direction,
  ).map((ranked) => `${ranked.item[0]}:${ranked.rank}`)
}

describe('rankByValue', () => {
  const items: Item[] = [
    ['none', null],
    ['d', 1],
    ['b', 5],
    ['a', 9],
    ['c', 5],
    ['also none', null],
  ]

  test('gives equal values the same rank, skips the next rank, and puts models without a value last', () => {
    expect(rank(items, 'desc')).toEqual(['a:1', 'b:2', 'c:2', 'd:4', 'also none:null', 'none:null'])
  })

  test('ranks the lowest first when lower is better; models without a value stay last', () => {
    expect(rank(items, 'asc')).toEqual(['d:1', 'b:2', 'c:2', 'a:4', 'also none:null', 'none:null'])
  })

  test('distinguishes zero from a missing value, and treats -0 and 0 as equal', () => {
    expect(rank([['b', 0], ['a', -0], ['c', -1]], 'desc')).toEqual(['a:1', 'b:1', 'c:3']) // biome-ignore format: a row
  })

  test('returns nothing for no models', () => {
    expect(rank([], 'desc')).toEqual([])
  })

  test('is one more than the number of better models, regardless of input order', () => {
    const values = fc.array(fc.option(fc.integer({ min: -3, max: 3 })), { maxLength: 12 })
    fc.assert(
      fc.property(values, fc.constantFrom('asc', 'desc'), fc.nat(), (list, direction, turn) => {
        const all = list.map((value, index): Item => [String.fromCharCode(97 + index), value])
        const sign = direction === 'desc' ? 1 : -1
        const cut = all.length === 0 ? 0 : turn % all.length
        const ranked = rank(all, direction)
        for (const [id, value] of all) {
          const better = all.filter(([, other]) => other !== null && value !== null && sign * (other - value) > 0)
          expect(ranked).toContain(`${id}:${value === null ? null : better.length + 1}`)
        }
        expect(rank([...all.slice(cut), ...all.slice(0, cut)], direction)).toEqual(ranked)
      }),
    )
  })
})
