import { type Checkpoint, checkpointStatuses, type Winner } from '../../domain/checkpoint.ts'
import { CrunchError } from '../../domain/errors.ts'
import { transactionIdProblem } from '../../domain/payout/base58.ts'
import { acknowledged } from './acknowledge.ts'
import type { PayoutParts } from './payout-parts.ts'

type Moving = Pick<PayoutParts, 'store' | 'chain' | 'now'>

export async function find(store: Pick<PayoutParts['store'], 'checkpoint'>, id: string): Promise<Checkpoint> {
  const checkpoint = await store.checkpoint(id)
  if (checkpoint === null) throw new CrunchError('NOT_FOUND', `there is no checkpoint "${id}"`)
  return checkpoint
}

/** See `Payouts.confirm`. Everything is checked before the one write, so that a process that is killed has changed nothing. */
export async function confirm(
  { store, chain, now }: Moving,
  id: string,
  transactionId: string,
  mappedWinners: (checkpoint: Checkpoint) => Promise<readonly Winner[]>,
): Promise<Checkpoint> {
  const problem = transactionIdProblem(transactionId)
  if (problem !== null) {
    const fix = 'copy the signature of the transaction that pays the checkpoint, 64 bytes in base58'
    throw new CrunchError('BAD_REQUEST', `the id of the transaction ${problem}\n  fix: ${fix}`)
  }
  const checkpoint = await find(store, id)
  if (isConfirmed(checkpoint, transactionId)) return checkpoint
  await acknowledged(store, checkpoint, undefined, now())
  if (checkpoint.emissionReason !== null) {
    const what = `${id} pays no model (${checkpoint.emissionReason}), so no transaction pays it`
    throw new CrunchError('CONFLICT', what)
  }
  const winners = await mappedWinners(checkpoint)
  await chain?.requireFinal(transactionId)
  const move = { to: 'SUBMITTED', at: now(), transactionId, isVerified: chain !== null, winners } as const
  return (await store.moveCheckpoint(id, move)) ?? confirmedMeanwhile(store, await find(store, id), transactionId)
}

/** Another call moved the checkpoint since it was read, or another checkpoint has the transaction. */
async function confirmedMeanwhile(
  store: PayoutParts['store'],
  checkpoint: Checkpoint,
  transactionId: string,
): Promise<Checkpoint> {
  if (isConfirmed(checkpoint, transactionId)) return checkpoint
  const others = await store.checkpoints({ limit: Number.MAX_SAFE_INTEGER })
  const other = others.find((one) => one.transactionId === transactionId)
  const fix = 'confirm each checkpoint with the transaction that pays it'
  throw new CrunchError('CONFLICT', `the transaction pays ${other?.id ?? 'another checkpoint'}\n  fix: ${fix}`)
}

/** Whether a checkpoint was confirmed with this transaction. Throws CONFLICT if it was confirmed with another one. */
function isConfirmed({ id, status, transactionId: known }: Checkpoint, transactionId: string): boolean {
  if (status === 'PENDING') return false
  if (known === transactionId) return true
  const fix = 'pay a checkpoint once; if the second transaction has paid it too, recover that payment on chain'
  throw new CrunchError('CONFLICT', `${id} is ${status}, paid by the transaction ${known}\n  fix: ${fix}`)
}

/** See `Payouts.advance`. */
export async function advance({ store, now }: Moving, id: string, status: string): Promise<Checkpoint> {
  const to = checkpointStatuses.find((known) => known === status)
  if (to === undefined) {
    const known = checkpointStatuses.join(', ')
    throw new CrunchError('BAD_REQUEST', `there is no status "${status}"\n  fix: choose one of ${known}`)
  }
  const checkpoint = await find(store, id)
  if (checkpoint.status === to) return checkpoint
  if (to === 'PENDING' || to === 'SUBMITTED') throw wrongStep(checkpoint, to)
  const move = { to, at: now(), transactionId: null, isVerified: null, winners: [] }
  const moved = await store.moveCheckpoint(id, move)
  if (moved !== null) return moved
  const current = await find(store, id)
  if (current.status === to) return current
  throw wrongStep(current, to)
}

function wrongStep({ id, status }: Checkpoint, to: string): CrunchError {
  const next = checkpointStatuses[checkpointStatuses.indexOf(status) + 1]
  const order = `a checkpoint moves ${checkpointStatuses.join(' → ')}, one step at a time`
  const fix =
    next === undefined
      ? 'it has its last status'
      : next === 'SUBMITTED'
        ? 'confirm it with the transaction that pays it'
        : `its next status is ${next}`
  return new CrunchError('CONFLICT', `${id} is ${status} and cannot become ${to}: ${order}\n  fix: ${fix}`)
}
