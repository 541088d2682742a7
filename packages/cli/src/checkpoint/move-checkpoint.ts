import { CliError } from '../cli-error.ts'
import { type Checkpoint, checkpointStatuses, nodePayouts, type Payouts } from '../engine.ts'
import { withNodeStore } from '../node-store.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { formatMoves, formatWinners } from './payout-tables.ts'
import { allCheckpoints } from './show-checkpoint.ts'

/** Stores the transaction that pays a checkpoint of the live node. */
export async function confirmCheckpoint(
  { transaction, id }: { readonly transaction: string; readonly id: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const confirmed = await onPayouts(terminal, (payouts, checkpoints) => {
    const known = checkpoints.find(({ transactionId }) => transactionId === transaction)
    // Checkpoints without a payout cannot be confirmed.
    const payable = checkpoints.filter(({ emissionReason }) => emissionReason === null)
    return payouts.confirm(id ?? known?.id ?? onlyOne(payable, 'PENDING', 'confirm'), transaction)
  })
  const [move] = confirmed.moves
  terminal.out([`${confirmed.id}: ${confirmed.status}`, ...formatMoves(confirmed.moves)].join('\n'))
  terminal.out(formatWinners(move?.winners ?? []))
}

/** Moves a checkpoint of the live node to its next status. */
export async function advanceCheckpoint(
  { status, id }: { readonly status: string; readonly id: string | undefined },
  terminal: Terminal,
): Promise<void> {
  const moved = await onPayouts(terminal, (payouts, checkpoints) => {
    const before = checkpointStatuses[(checkpointStatuses as readonly string[]).indexOf(status) - 1]
    const chosen = id ?? (before === undefined ? checkpoints[0]?.id : onlyOne(checkpoints, before, 'advance'))
    return payouts.advance(chosen ?? 'none', status)
  })
  terminal.out([`${moved.id}: ${moved.status}`, ...formatMoves(moved.moves)].join('\n'))
}

/** A payout of a replay is not paid, so these commands never use its database. */
function onPayouts(
  terminal: Terminal,
  action: (payouts: Payouts, checkpoints: readonly Checkpoint[]) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  return withNodeStore(terminal, async ({ store, environment, workspace }) =>
    action(await nodePayouts(store, environment, workspace.nodeDirectory), await allCheckpoints(store)),
  )
}

/** The id of the only checkpoint with a status: with several, guessing could move the wrong one. */
export function onlyOne(
  checkpoints: readonly Pick<Checkpoint, 'id' | 'status'>[],
  status: string,
  command: string,
): string {
  const ids = checkpoints.filter((one) => one.status === status).map(({ id }) => id)
  const [first, ...others] = ids
  if (first !== undefined && others.length === 0) return first
  const cause = first === undefined ? `no checkpoint is ${status}` : `${ids.length} checkpoints are ${status}`
  const list = ids.length > 5 ? `${ids.slice(0, 5).join(', ')}, …` : ids.join(', ')
  const fix = first === undefined ? 'see crunch checkpoint list' : `add the id of the one to ${command}: ${list}`
  throw new CliError({ place: `crunch checkpoint ${command}`, cause, fix })
}
