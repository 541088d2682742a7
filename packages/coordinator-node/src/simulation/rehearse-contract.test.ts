import { describe, expect, test } from 'vitest'
import { candles } from '../../test/competition.ts'
import { type ContractChanges, changedContract } from '../../test/sample-contract.ts'
import { sourceOf } from '../../test/source-of-records.ts'
import { rehearseContract } from './rehearse-contract.ts'

function rehearse(changes: ContractChanges = {}, count = 60) {
  const { signal } = new AbortController()
  return rehearseContract({ contract: changedContract(changes), source: sourceOf(candles(0, count)), signal })
}

const refuse = () => {
  throw new Error('no such field')
}

describe('the rehearsal of a contract', () => {
  test('ends with the first scored round, ranked and paid out', async () => {
    expect(await rehearse()).toEqual({ refusals: [], failure: null, roundCount: 6, scoredCount: 3, isRanked: true })
  })

  test('finds a field that the records do not have', async () => {
    const build = ({ subject, records }: { subject: string; records: { values: { clse?: number } }[] }) => ({
      subject,
      closes: records.map((record) => record.values.clse),
    })
    expect((await rehearse({ input: { build } }))?.failure).toMatch(
      /input\.build at simulation\/rehearse-contract\.test\.ts:\d+ returned what input\.schema refuses: closes\.0/,
    )
  })

  test.each<[string, ContractChanges]>([
    ['truth.resolve', { truth: { resolve: refuse } }],
    ['score.compute', { score: { compute: refuse } }],
    ['snapshot.signal', { snapshot: { signal: refuse } }],
  ])('finds that %s throws', async (path, changes) => {
    const { failure } = (await rehearse(changes)) ?? {}
    expect(failure).toMatch(`nothing was scored: ${path} failed at simulation/rehearse-contract.test.ts:`)
  })

  test('reports a recording that is too short for a truth', async () => {
    expect((await rehearse({}, 2))?.failure).toMatch(/the recording ends before the horizon/)
  })

  test('rethrows an error of the emission', async () => {
    await expect(rehearse({ checkpoint: { emission: { name: 'own', shares: refuse } } })).rejects.toThrow(
      'no such field',
    )
  })
})
