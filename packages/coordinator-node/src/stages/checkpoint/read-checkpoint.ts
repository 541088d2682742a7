import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Checkpoint } from '../../domain/checkpoint.ts'
import { readSpan } from '../../domain/models/span.ts'
import type { PeriodRounds } from '../../domain/period-rounds.ts'
import type { Instant } from '../../domain/time.ts'
import type { ModelReads } from '../../ports/store-models.ts'
import type { PeriodStore } from '../../ports/store-periods.ts'
import { closeCheckpoint, type Payees } from './close-checkpoint.ts'
import type { CheckpointPeriod } from './pay-rules.ts'

export type CheckpointReads = Pick<
  PeriodStore,
  'periodsBetween' | 'refusalsBetween' | 'snapshotTotals' | 'versionCounts'
> &
  Pick<ModelReads, 'models'>

export interface CheckpointSources {
  readonly store: CheckpointReads
  readonly scoresOf: (periods: readonly PeriodRounds[]) => Promise<CheckpointPeriod['scores']>
}

/** The payout of the stored results of a period; nothing is written. */
export async function readCheckpoint(
  resolved: ResolvedContract,
  { store, scoresOf }: CheckpointSources,
  payees: Payees,
  { start, end }: { readonly start: Instant; readonly end: Instant },
  now: Instant,
): Promise<Checkpoint> {
  const span = await readSpan(store, start, end, resolved.contract.leaderboard.value)
  const versions = await store.versionCounts(start, end)
  const refusals = await store.refusalsBetween(start, end)
  const scores = await scoresOf(span.periods)
  const models = await store.models()
  return closeCheckpoint(resolved, payees, models, { start, end, ...span, ...versions, refusals, scores }, now)
}
