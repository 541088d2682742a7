import { describe, expect, test } from 'vitest'
import { changedContract } from '../../test/sample-contract.ts'
import { checkContract } from './check-contract.ts'
import { tiers } from './defaults/tiers.ts'
import { formatFindings } from './finding.ts'

/** The findings for the sample contract with changes, as an operator reads them. */
const findings = (changes: object) =>
  formatFindings(checkContract(changedContract(changes)))
    .split('\n')
    .filter(Boolean)

const payAbove = (floor: unknown) => ({ checkpoint: { emission: { ...tiers(), payAbove: floor } } })

describe('a contract with rules for ranks and pay', () => {
  test('has no findings when it is valid', () => {
    expect(findings({ baselines: ['flat', 'coin'], ...payAbove({ baseline: 'Flat' }) })).toEqual([])
    expect(findings(payAbove({ value: -1.5 }))).toEqual([])
    expect(findings({ leaderboard: { newcomers: 'wait', minCoverage: 0 }, checkpoint: { minCoverage: 1 } })).toEqual([])
    for (const newcomers of ['worst', 'own']) expect(findings({ leaderboard: { newcomers } })).toEqual([])
  })

  test.each([
    ['leaderboard.minCoverage', { leaderboard: { minCoverage: 1.1 } }],
    ['leaderboard.minCoverage', { leaderboard: { minCoverage: '0.8' } }],
    ['checkpoint.minCoverage', { checkpoint: { minCoverage: -0.1 } }],
    ['checkpoint.minCoverage', { checkpoint: { minCoverage: Number.NaN } }],
  ])('needs %s to be a share', (path, changes) => {
    expect(findings(changes)).toEqual([`  - ${path}: is not a number from 0 to 1; write a share, such as 0.5 for 50 %`])
  })

  test('needs a known policy for newcomers under which minCoverage has an effect', () => {
    expect(findings({ leaderboard: { newcomers: 'first' } })).toEqual([
      '  - leaderboard.newcomers: "first" is not known; write one of wait, worst, own',
    ])
    expect(findings({ leaderboard: { newcomers: 'own', minCoverage: 0.5 } })).toEqual([
      "  - leaderboard.minCoverage: has no effect with newcomers: 'own'; remove it, or write newcomers: 'wait'",
    ])
  })

  test('needs a floor that is a baseline of the contract, or a number', () => {
    expect(findings({ baselines: ['flat'], ...payAbove({ baseline: 'flatt' }) })).toEqual([
      '  - checkpoint.emission.payAbove.baseline: "flatt" is not a baseline of the contract; did you mean "flat"?',
    ])
    expect(findings(payAbove({ baseline: 'flat' }))).toEqual([
      `  - checkpoint.emission.payAbove.baseline: "flat" is not a baseline of the contract; add baselines: ['flat']`,
    ])
    expect(findings(payAbove({ value: Number.POSITIVE_INFINITY }))).toEqual([
      '  - checkpoint.emission.payAbove.value: is not a number; write the value that a paid model must exceed, such as 0',
    ])
    expect(findings(payAbove({}))).toEqual(['  - checkpoint.emission.payAbove.baseline: is missing; add it'])
    expect(findings(payAbove({ baseline: 'flat', value: 0 }))).toEqual([
      '  - checkpoint.emission.payAbove.baseline: there is no such key; remove it',
    ])
    expect(findings(payAbove('flat'))).toEqual(['  - checkpoint.emission.payAbove: is not an object; write { ... }'])
  })

  test('needs baselines with distinguishable names', () => {
    expect(findings({ baselines: ['flat', 'coin', ' Ｆlat'] })).toEqual([
      '  - baselines[2]: " Ｆlat" looks like "flat", which is listed already; remove one of the two',
    ])
    expect(findings({ baselines: ['\u200b '] })).toEqual([
      '  - baselines[0]: has no visible character; write the name of a model',
    ])
    expect(findings({ baselines: 'flat' })).toEqual(['  - baselines: is not a list; write [ ... ]'])
  })
})
