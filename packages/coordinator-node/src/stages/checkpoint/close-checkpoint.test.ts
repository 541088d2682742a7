import { describe, expect, test } from 'vitest'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, snapshot } from '../../ports/store-samples.ts'
import { closeCheckpoint } from './close-checkpoint.ts'

const payees = { crunch: 'my-crunch', computeProvider: null, dataProvider: 'data' }

function close(snapshots: readonly Snapshot[], direction: 'asc' | 'desc' = 'desc') {
  const resolved = resolvedContract({ leaderboard: { direction } })
  return closeCheckpoint(resolved, payees, minute(0), minute(30), snapshots, minute(31))
}

const worth = (modelId: string, endMinute: number, sum: number, count: number) =>
  snapshot(modelId, endMinute, { sums: { value: { sum, count }, other: { sum: 99, count: 1 } } })

describe('closeCheckpoint', () => {
  test('ranks by the mean over all scores of the period, not by a mean of means', () => {
    // Mean of means: a 5.5, b 4.6. Over all scores: a 1.9, b 4.6.
    const { entries } = close([
      worth('a', 10, 10, 1),
      worth('b', 10, 23, 5),
      worth('a', 20, 9, 9),
      worth('b', 20, 23, 5),
    ])
    expect(entries.map(({ modelId, rank, value, scoreCount }) => [modelId, rank, value, scoreCount])).toEqual([
      ['b', 1, 4.6, 10],
      ['a', 2, 1.9, 10],
    ])
    expect(entries.map((entry) => entry.rewardFrac64)).toEqual([625_000_000, 375_000_000])
  })

  test('keeps absurd scores finite, so that they come last and not first', () => {
    const absurd = worth('absurd', 10, Number.MAX_VALUE, 1)
    const { entries } = close([absurd, worth('honest', 10, 5, 1), { ...absurd, periodEnd: minute(20) }], 'asc')
    expect(entries.map(({ modelId, value }) => [modelId, Number.isFinite(value)])).toEqual([
      ['honest', true],
      ['absurd', true],
    ])
  })

  test('adds up what was due and answered', () => {
    const [entry] = close([snapshot('a', 10), snapshot('a', 20, { dueCount: 10, answeredCount: 1 })]).entries
    expect(entry).toMatchObject({ dueCount: 14, answeredCount: 4, cruncherIndex: null })
  })

  test('pays equal values equally and leaves models without a value unpaid, last', () => {
    const none = snapshot('0-none', 10, { sums: {} })
    const { entries } = close([none, worth('b', 10, 4, 2), worth('a', 10, 2, 1), worth('c', 10, 1, 1)])
    expect(entries.map(({ modelId, rank, rewardFrac64 }) => [modelId, rank, rewardFrac64])).toEqual([
      ['a', 1, 375_000_000],
      ['b', 1, 375_000_000],
      ['c', 3, 250_000_000],
      ['0-none', null, 0],
    ])
    expect(entries[3]).toMatchObject({ value: null, scoreCount: 0 })
  })

  test('ranks the lowest first where lower is better', () => {
    const { entries } = close([worth('a', 10, 3, 1), worth('b', 10, 2, 1)], 'asc')
    expect(entries.map(({ modelId }) => modelId)).toEqual(['b', 'a'])
  })

  test('is pending, and names its period and the payees', () => {
    expect(close([worth('a', 10, 1, 1)])).toMatchObject({
      id: 'CKP_20260301_103000.000',
      periodStart: minute(0),
      periodEnd: minute(30),
      createdAt: minute(31),
      status: 'PENDING',
      snapshotCount: 1,
      ...payees,
      transactionId: null,
      submittedAt: null,
    })
  })

  test('pays nobody in a period without snapshots', () => {
    expect(close([]).entries).toEqual([])
  })
})
