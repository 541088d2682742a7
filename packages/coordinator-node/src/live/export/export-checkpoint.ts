import { CrunchError, present } from '../../domain/errors.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'
import type { ReportContract } from '../../report/report-context.ts'
import { checkpointRows } from '../../report/routes/checkpoints/checkpoints.ts'
import { acknowledged } from '../payouts/acknowledge.ts'

/** A checkpoint each week for twenty years. */
const limit = 1_000

/** A checkpoint as the API gives it; without an id the newest one. Rejects with NOT_FOUND. */
export async function storedCheckpoint(store: Store, contract: ReportContract, id?: string) {
  const rows = await checkpointRows(store, contract, { limit })
  const row = id === undefined ? rows[0] : rows.find((one) => one.id === id)
  if (row !== undefined) return row
  if (rows[0] === undefined)
    throw new CrunchError('NOT_FOUND', 'no checkpoint has closed yet: crunch status shows how far the node is')
  const known = rows.slice(0, 3).map((one) => one.id)
  throw new CrunchError('NOT_FOUND', `there is no checkpoint "${id}"; the newest ones are ${known.join(', ')}`)
}

/**
 * A checkpoint that may be paid out, in the format of the API. With `acknowledgedBy`, first stores who accepted, at `at`, that truths
 * or scores of its period were refused. Rejects with NOT_ACKNOWLEDGED if an acknowledgement is missing, and with NOT_FOUND.
 */
export async function exportCheckpoint(
  store: Store,
  contract: ReportContract,
  options: { readonly id?: string; readonly acknowledgedBy?: string; readonly at: Instant },
) {
  const { id } = await storedCheckpoint(store, contract, options.id)
  const checkpoint = present(await store.checkpoint(id), `the checkpoint ${id}`)
  await acknowledged(store, checkpoint, options.acknowledgedBy, options.at)
  return storedCheckpoint(store, contract, id)
}
