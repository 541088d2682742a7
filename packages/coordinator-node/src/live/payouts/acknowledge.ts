import type { Checkpoint } from '../../domain/checkpoint.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { Instant } from '../../domain/time.ts'
import type { CheckpointStore } from '../../ports/store-periods.ts'

/**
 * The checkpoint, if no truth or score of its period was refused or someone accepted that. With a name, first stores who accepts
 * it, at `at`. Rejects with NOT_ACKNOWLEDGED.
 */
export async function acknowledged(
  store: Pick<CheckpointStore, 'acknowledgeCheckpoint'>,
  checkpoint: Checkpoint,
  by: string | undefined,
  at: Instant,
): Promise<Checkpoint> {
  const { id, refusals } = checkpoint
  if (refusals.length === 0 || checkpoint.acknowledged !== null) return checkpoint
  if (by !== undefined && by.trim() !== '') return store.acknowledgeCheckpoint(id, { by, at })
  const what = refusals.map(({ what, count, of, reason }) => `${count} of ${of} ${what} were refused, first: ${reason}`)
  throw new CrunchError(
    'NOT_ACKNOWLEDGED',
    `${id}: the contract refused results behind this payout: ${what.join('; ')}\n` +
      '  fix: check whether the payout is still correct (crunch checkpoint show, crunch export scores); ' +
      `if it is, accept it: crunch checkpoint export ${id} --acknowledged-by YOUR_NAME`,
  )
}
