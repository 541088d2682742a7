import { describe, expect, test } from 'vitest'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, model, periodRounds, snapshot, spanOf } from '../../ports/store-samples.ts'
import { closeCheckpoint } from './close-checkpoint.ts'

const none = { sum: 0, count: 0 }
const own = (id: string, rest: Partial<Model> = {}): Model => ({
  ...model(id),
  ...{ registeredAt: minute(0), retirements: [], ...rest },
})
const models = [
  ...['a', 'b', 'c'].map((id) => own(id)),
  own('y', { name: 'flat', cruncherId: 'organizer' }),
  own('z', { cruncherId: 'organizer' }),
]

/** A snapshot of ten rounds with `validCount` answers (default: all); without a value it has no scores. */
function snapshotOf(modelId: string, value: number | null, validCount = 10): Snapshot {
  const counts = {
    dueCount: 10,
    scoreCount: value === null ? 0 : 10,
    answeredCount: validCount,
    validCount,
    excusedCount: 0,
  }
  const sums: Snapshot['sums'] = value === null ? {} : { value: { sum: value * 10, count: 10 } }
  return snapshot(modelId, 10, { ...counts, sums, unasked: none, missed: none })
}

function orderOf(snapshots: readonly Snapshot[]): readonly string[] {
  const resolved = resolvedContract({ baselines: ['flat'] })
  const payees = { crunch: null, computeProvider: null, dataProvider: null }
  const periods = [periodRounds(10, { roundCount: 10, worst: none, missing: none })]
  const counts = { snapshotCount: snapshots.length, contractVersions: { 1: 3 }, refusals: [] }
  const period = { start: minute(0), end: minute(30), ...spanOf(periods, snapshots), ...counts }
  return closeCheckpoint(resolved, payees, models, period, minute(31)).entries.map(({ modelId }) => modelId)
}

describe('the order of the models of a checkpoint', () => {
  test("has the organizer's models first, then the others by id, if no model has a value", () => {
    const ids = ['a', 'b', 'c', 'y', 'z']
    expect(orderOf(ids.map((id) => snapshotOf(id, null, 0)))).toEqual(['y', 'z', 'a', 'b', 'c'])
  })

  test("is by value, with the organizer's among the payable models, and unpayable ones after them", () => {
    const snapshots = [
      snapshotOf('a', 1),
      snapshotOf('b', 3),
      snapshotOf('c', 9, 0),
      snapshotOf('y', 2),
      snapshotOf('z', null, 0),
    ]
    expect(orderOf(snapshots)).toEqual(['b', 'y', 'a', 'z', 'c'])
  })
})
