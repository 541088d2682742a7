import { type Checkpoint, formatTime, nodePayouts, nodeReportContract, storedCheckpoint } from '../engine.ts'
import { type OpenedNode, withStoredResults } from '../node-store.ts'
import { replaysNow } from '../report-api/open-report-client.ts'
import { formatCheckpoint } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'
import { formatCheckpoints, formatMoves, formatWinners } from './payout-tables.ts'

/** More than a checkpoint each day for a hundred years. */
const manyCheckpoints = 100_000

/** Lists payouts, newest first. */
export async function listCheckpoints(
  { replay, json }: { readonly replay: boolean; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const checkpoints = await withResults(terminal, replay, ({ store }) => allCheckpoints(store))
  terminal.out(json ? JSON.stringify(checkpoints.map(listRow)) : formatCheckpoints(checkpoints))
}

/** Every checkpoint, newest first. */
export function allCheckpoints(store: OpenedNode['store']): Promise<readonly Checkpoint[]> {
  return store.checkpoints({ limit: manyCheckpoints })
}

function listRow({ id, status, periodStart, periodEnd, entries, transactionId }: Checkpoint) {
  return {
    id,
    status,
    period_start: formatTime(periodStart),
    period_end: formatTime(periodEnd),
    winner_count: entries.filter(({ rewardFrac64 }) => rewardFrac64 > 0).length,
    tx_hash: transactionId,
  }
}

/** Shows a payout, with the wallets that it pays, and the truths and scores of its period that the contract refused. */
export async function showCheckpoint(
  { id, replay, json }: { readonly id: string | undefined; readonly replay: boolean; readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const { row, moves, winners, problem } = await withResults(terminal, replay, async (node) => {
    const { store, contract, environment, workspace } = node
    const row = await storedCheckpoint(store, nodeReportContract(contract, environment), id)
    const checkpoint = await store.checkpoint(row.id)
    if (checkpoint === null) throw new RangeError(`the checkpoint ${row.id} is gone`)
    const payouts = await nodePayouts(store, environment, workspace.nodeDirectory)
    return { row, moves: checkpoint.moves, ...(await payouts.winners(checkpoint)) }
  })
  if (json) return terminal.out(JSON.stringify({ ...row, winners, winners_problem: problem, moves }))
  const lines = [formatWinners(winners), problem === null ? [] : `It cannot be exported for the chain yet: ${problem}`]
  terminal.out([formatCheckpoint(row), ...lines.flat(), ...formatMoves(moves)].join('\n'))
}

/** Runs an action on stored results: of the running deployment, of live data, or of the last replay. */
export async function withResults<Result>(
  terminal: Terminal,
  replay: boolean,
  action: (node: OpenedNode) => Promise<Result>,
): Promise<Result> {
  return withStoredResults(terminal, replay || (await replaysNow(findWorkspace(terminal.cwd))), action)
}
