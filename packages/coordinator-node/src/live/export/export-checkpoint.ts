import { CrunchError } from '../../domain/errors.ts'
import type { Refusal } from '../../domain/progress/refusal.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'
import type { ReportContract } from '../../report/report-context.ts'
import { checkpointRows } from '../../report/routes/checkpoints/checkpoints.ts'

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
  const row = await storedCheckpoint(store, contract, options.id)
  const { refusals, acknowledged_by } = row.meta
  if (refusals.length === 0 || acknowledged_by !== null) return row
  const { acknowledgedBy: by, at } = options
  if (by === undefined || by.trim() === '') throw notAcknowledged(row.id, refusals)
  await store.acknowledgeCheckpoint(row.id, { by, at })
  return storedCheckpoint(store, contract, row.id)
}

function notAcknowledged(id: string, refusals: readonly Refusal[]): CrunchError {
  const what = refusals.map(({ what, count, of, reason }) => `${count} of ${of} ${what} were refused, first: ${reason}`)
  return new CrunchError(
    'NOT_ACKNOWLEDGED',
    `${id}: the contract refused results behind this payout: ${what.join('; ')}\n` +
      '  fix: check whether the payout is still correct (crunch checkpoint show, crunch export scores); ' +
      `if it is, accept it: crunch checkpoint export ${id} --acknowledged-by YOUR_NAME`,
  )
}
