import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract } from '../../test/sample-contract.ts'
import { contractStructure } from './contract-structure.ts'

const structureOf = (prediction: object) => contractStructure(changedContract({ prediction }), 'organizer')

describe('prediction.maxValues in the structure', () => {
  const plain = z.object({ value: z.number() })
  const rows = z.union(Array.from({ length: 6 }, (_, index) => z.object({ [`field${index}`]: z.number() })))
  const sixForms = z.object({ value: z.number(), rows: z.array(rows) })

  test.each([
    ['10,000', plain, 10_000],
    ['less for a schema that checks each value in six forms', sixForms, 5_000],
  ])('is left out if it is the default: %s', (_, schema, usual) => {
    expect(structureOf({ schema, maxValues: usual })).toEqual(structureOf({ schema }))
    for (const maxValues of [usual - 1, usual + 1]) {
      expect(structureOf({ schema, maxValues })).toMatchObject({ prediction: { maxValues } })
    }
  })

  test('is stored if it is the default of other schemas only', () => {
    expect(structureOf({ schema: sixForms, maxValues: 10_000 })).toMatchObject({ prediction: { maxValues: 10_000 } })
  })
})
