import { expect } from 'vitest'
import type { StoredRows } from '../stored-rows.ts'
import { type Competition, recompute } from './recompute.ts'

/** Expects snapshots, leaderboards and checkpoints to follow from answers and scores, and every payout to be complete. */
export function expectRecomputed(rows: StoredRows, competition: Competition): void {
  const { snapshots, leaderboards, checkpoints } = recompute(rows, competition)
  expectClose(rows.snapshots, snapshots, 'snapshots')
  expectClose(without(rows.leaderboards, 'id'), leaderboards, 'leaderboards')
  // Rewards are compared below: an indivisible unit may go to either model.
  const paidApart = <Entry extends object>(entries: readonly Entry[], left: readonly string[]) =>
    entries.map((entry) => Object.fromEntries(Object.entries(entry).filter(([key]) => !left.includes(key))))
  const stored = rows.checkpoints.map(({ id: _id, status: _status, entries, ...checkpoint }) => ({
    ...checkpoint,
    entries: paidApart(entries, ['rewardFrac64', 'cruncherIndex']),
  }))
  const expected = checkpoints.map(({ entries, ...checkpoint }) => ({
    ...checkpoint,
    entries: paidApart(entries, ['rewardFrac64']),
  }))
  expectClose(stored, expected, 'checkpoints')
  for (const [index, { id, entries, emissionReason }] of rows.checkpoints.entries()) {
    const paid = entries.reduce((sum, { rewardFrac64 }) => sum + rewardFrac64, 0)
    expect([id, paid]).toEqual([id, emissionReason === null ? 1_000_000_000 : 0])
    for (const [place, { modelId, rewardFrac64 }] of entries.entries()) {
      const exact = checkpoints[index]?.entries[place]?.rewardFrac64 ?? Number.NaN
      expect(Math.abs(rewardFrac64 - exact), `${id}, reward of ${modelId}`).toBeLessThanOrEqual(1)
    }
  }
}

function without<Row extends object, Key extends keyof Row>(rows: readonly Row[], key: Key): Omit<Row, Key>[] {
  return rows.map(({ [key]: _left, ...rest }) => rest)
}

/** Equal except for the last bits of sums computed in another order. */
function expectClose(stored: readonly unknown[], expected: readonly unknown[], what: string): void {
  for (const [index, row] of expected.entries())
    expect(rounded(stored[index]), `${what} ${index}`).toEqual(rounded(row))
  expect(stored.length, `number of ${what}`).toBe(expected.length)
}

function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      // Rounding errors of a sum count as 0.
      typeof inner === 'number' && !Number.isInteger(inner)
        ? Math.abs(inner) < 1e-12
          ? 0
          : Number(inner.toPrecision(10))
        : inner,
    ),
  )
}
