import { printable } from '@crunch/local-processes'
import { type Checkpoint, formatTime } from '../engine.ts'
import { formatReward, formatTable } from '../tables.ts'

/** Payouts, newest first. */
export function formatCheckpoints(checkpoints: readonly Checkpoint[]): string {
  if (checkpoints.length === 0) return 'No checkpoint has closed yet: crunch status shows how far the node is.'
  const rows = checkpoints.map(({ id, status, periodStart, periodEnd, entries, transactionId }) => [
    id,
    status,
    formatTime(periodStart),
    formatTime(periodEnd),
    String(entries.filter(({ rewardFrac64 }) => rewardFrac64 > 0).length),
    transactionId ?? '',
  ])
  return formatTable(['checkpoint', 'status', 'from', 'to', 'paid models', 'transaction'], rows)
}

/** Who gets a payout. */
export function formatWinners(winners: Checkpoint['moves'][number]['winners']): string {
  if (winners.length === 0) return 'This checkpoint has no payout.'
  const rows = winners.map(({ modelName, cruncherId, wallet, onchainIndex, rewardFrac64 }) => [
    modelName,
    cruncherId,
    wallet ?? 'none',
    onchainIndex === null ? '' : String(onchainIndex),
    formatReward(rewardFrac64),
  ])
  return formatTable(['paid model', 'cruncher', 'wallet', 'index on chain', 'share'], rows)
}

/** The steps of a status, each on its own line. */
export function formatMoves(moves: Checkpoint['moves']): readonly string[] {
  return moves.map(({ to, at, transactionId, isVerified }) => {
    if (transactionId === null) return `${to} since ${formatTime(at)}`
    const check = isVerified === true ? 'final on chain' : 'not looked up on chain: SOLANA_RPC_URL is not set'
    return `${to} since ${formatTime(at)}, paid by the transaction ${printable(transactionId)} (${check})`
  })
}
