import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, market } from '../../test/sample-contract.ts'
import { checkContract } from './check-contract.ts'

const findings = (values: z.ZodType) => checkContract(changedContract({ feed: { ...market, values } }))
const doubled = z.object({ close: z.number().transform((close) => close * 2) })

describe('the schema of a feed’s values', () => {
  test.each<[string, z.ZodType]>([
    ['coerces', z.object({ close: z.coerce.number() })],
    ['adds a default', z.object({ close: z.number(), venue: z.string().default('spot') })],
    ['rounds', z.object({ close: z.number().transform(Math.round) })],
  ])('may change an incoming record: it %s', (_, values) => {
    expect(findings(values)).toEqual([])
  })

  test.each<[string, z.ZodType]>([
    ['scales', doubled],
    ['renames', z.object({ close: z.number() }).transform(({ close }) => ({ price: close }))],
  ])('must return its own result unchanged, because records pass it again: it %s', (_, values) => {
    expect(findings(values)).toEqual([
      {
        path: 'feed.values',
        cause: expect.stringMatching(/^does not return its own result unchanged: \{"/),
        fix: expect.stringContaining('transform in input.build and truth.resolve instead'),
      },
    ])
  })

  test('is named by its index among several feeds', () => {
    const feed = [market, { ...market, subjects: ['SOLUSDT'], values: doubled }]
    expect(checkContract(changedContract({ feed })).map(({ path }) => path)).toEqual(['feed[1].values'])
  })
})
