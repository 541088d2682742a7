import { expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, market } from '../../test/sample-contract.ts'
import { rehearseContract } from './rehearse-contract.ts'
import { sampleRecords } from './sample-records.ts'

test('records made from the schemas suffice to run a contract up to its payout', async () => {
  const contract = changedContract({})
  const source = sampleRecords(contract)
  if (source === null) throw new Error('no records')
  const { signal } = new AbortController()
  expect(await rehearseContract({ contract, source, signal })).toMatchObject({ failure: null, isRanked: true })
})

test('no records are made if a schema cannot be sampled', () => {
  const feed = { ...market, values: z.custom<{ close: number }>(() => false) }
  expect(sampleRecords(changedContract({ feed }))).toBeNull()
})
