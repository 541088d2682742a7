import { openPostgresStore, type Store } from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import type { Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { openDueRounds } from './due-rounds.ts'

const minuteCount = 600
const modelCount = 25

/** How fast due rounds become scores, snapshots and leaderboards. */
export async function settlePredictions(databaseUrl: string, log: Log): Promise<Figures> {
  const opened = await openPostgresStore({ url: databaseUrl })
  let lastSettledAt = Number.NaN
  const store: Store = {
    ...opened,
    async settleRounds(request, decide) {
      const result = await opened.settleRounds(request, decide)
      lastSettledAt = performance.now()
      return result
    },
  }
  try {
    const { pipeline, expectedCount } = await openDueRounds(store, { contract: realtime, modelCount, minuteCount, log })
    const startedAt = performance.now()
    const { resolvedCount } = await pipeline.settle()
    const endedAt = performance.now()
    if (resolvedCount !== expectedCount) throw new Error(`${resolvedCount} of ${expectedCount} rounds were settled`)
    const count = resolvedCount * modelCount
    return {
      predictionsPerSecond: count / ((endedAt - startedAt) / 1_000),
      roundsOnlyPerSecond: count / ((lastSettledAt - startedAt) / 1_000),
    }
  } finally {
    await store.close()
  }
}
