import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Checkpoint } from '../../domain/checkpoint.ts'
import type { Refusal } from '../../domain/progress/refusal.ts'
import type { Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { CheckpointStore, PeriodStore } from '../../ports/store-periods.ts'
import type { RoundStore } from '../../ports/store-rounds.ts'
import type { Payees } from './close-checkpoint.ts'
import { type CheckpointReads, type CheckpointSources, readCheckpoint } from './read-checkpoint.ts'

export interface CheckpointPorts {
  readonly store: CheckpointStore &
    CheckpointReads &
    Pick<PeriodStore, 'lastPeriodEnd'> &
    Pick<RoundStore, 'firstResolvableAt'>
  readonly log: Log
  readonly scoresOf: CheckpointSources['scoresOf']
  /** The next period with a round that can be closed; `null` if there is none. */
  readonly nextPeriod: (closedThrough: Instant) => Promise<{ readonly start: Instant; readonly end: Instant } | null>
}

/**
 * Closes the checkpoints that can be closed at `now`, oldest first. A checkpoint waits for every snapshot period in it.
 * Returns the number of closed checkpoints.
 */
export async function closeCheckpoints(
  resolved: ResolvedContract,
  { store, log, nextPeriod, scoresOf }: CheckpointPorts,
  payees: Payees,
  now: Instant,
): Promise<number> {
  const { beganAt } = resolved.era
  let closedThrough = Math.max(beganAt, (await store.lastCheckpointEnd()) ?? 0)
  for (let count = 0; ; count += 1) {
    const period = await nextPeriod(closedThrough)
    if (period === null) return count
    const { end } = period
    const unclosed = await store.firstResolvableAt(Math.max(beganAt, (await store.lastPeriodEnd()) ?? 0))
    if (unclosed !== null && unclosed < end) return count
    const closed = await readCheckpoint(resolved, { store, scoresOf }, payees, period, now)
    const isFirst = await store.addCheckpoint(closed)
    if (isFirst) for (const refusal of closed.refusals) warnOfRefusal(log, closed, refusal)
    if (isFirst && closed.emissionReason !== null) warnOfEmptyEmission(log, closed)
    closedThrough = end
  }
}

function warnOfRefusal(log: Log, { id }: Checkpoint, { what, count, of, reason }: Refusal): void {
  const fields = { stage: 'checkpoint', checkpointId: id, what, count, of, reason }
  log.error('the contract refused results behind a checkpoint; its export requires an acknowledgement', fields)
}

/** A payout that pays no model must not surprise the operator, who can repair a baseline without a value. */
function warnOfEmptyEmission(log: Log, { id, emissionReason }: Checkpoint): void {
  const say = emissionReason === 'floor_unknown' ? log.error : log.warn
  say('a checkpoint pays no model', { stage: 'checkpoint', checkpointId: id, reason: emissionReason })
}
