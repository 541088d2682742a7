import { openPostgresStore } from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import { type Log, withPlainClient } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { openDueRounds } from './due-rounds.ts'

const minuteCount = 1_000
const modelCount = 50

/** How much room scored predictions take with all that belongs to them: tables, indexes and what is kept out of line. */
export async function storePredictions(databaseUrl: string, log: Log): Promise<Figures> {
  const store = await openPostgresStore({ url: databaseUrl })
  try {
    const { pipeline, expectedCount } = await openDueRounds(store, { contract: realtime, modelCount, minuteCount, log })
    const { resolvedCount } = await pipeline.settle()
    if (resolvedCount !== expectedCount) throw new Error(`${resolvedCount} of ${expectedCount} rounds were settled`)
  } finally {
    await store.close()
  }
  return withPlainClient(databaseUrl, async ({ sql }) => {
    const sizes = await sql<{ name: string; data: number; indexes: number }[]>`
      select relname as name, pg_table_size(oid)::float8 as data, pg_indexes_size(oid)::float8 as indexes from pg_class
      where relname in ('inputs', 'predictions', 'scores', 'snapshots', 'leaderboards') order by relname`
    for (const size of sizes) log.info('a table was measured', size)
    const data = sizes.reduce((sum, size) => sum + size.data, 0)
    const indexes = sizes.reduce((sum, size) => sum + size.indexes, 0)
    // Bytes per prediction are megabytes per million predictions.
    const count = minuteCount * realtime.prediction.schedule.length * modelCount
    return { stored: (data + indexes) / count / 1_000, indexes: indexes / count / 1_000 }
  })
}
