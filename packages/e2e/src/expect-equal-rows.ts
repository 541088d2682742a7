import { expect } from 'vitest'
import type { StoredRows } from './stored-rows.ts'

const tables = ['models', 'inputs', 'predictions', 'scores', 'snapshots', 'leaderboards', 'checkpoints'] as const

/** Expects the rows of a replay to equal those of a simulation. There may be no checkpoints. */
export function expectEqualRows(replayed: StoredRows, simulated: StoredRows): void {
  for (const table of tables) {
    expect(simulated[table].length, `simulated ${table}`).toBeGreaterThan(table === 'checkpoints' ? -1 : 0)
    // The first differing row is more helpful than a diff of ten thousand.
    const different = simulated[table].findIndex((row, index) => canonical(row) !== canonical(replayed[table][index]))
    if (different !== -1)
      expect(replayed[table][different], `${table}, row ${different}`).toEqual(simulated[table][different])
    expect(replayed[table].length, `rows of ${table}`).toBe(simulated[table].length)
  }
}

/** JSON with sorted keys, because jsonb has an order of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}
