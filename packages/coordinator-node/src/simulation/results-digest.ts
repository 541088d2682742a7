import { createHash } from 'node:crypto'
import type { StoreDump } from '../adapters/store/memory/memory-store.ts'

/**
 * SHA-256 over all results of a simulation, in an order that depends only on content: rounds, predictions, scores,
 * periods, snapshots, leaderboards, checkpoints. Response times of models and the version of the contract's code are not
 * results and are left out.
 */
export function resultsDigest(dump: StoreDump): string {
  const hash = createHash('sha256')
  const line = (kind: string, row: unknown) => hash.update(`${kind} ${JSON.stringify(row)}\n`)
  for (const round of dump.rounds) line('round', round)
  for (const { durationMs: _, ...prediction } of dump.predictions) line('prediction', prediction)
  for (const { contractVersion: _, ...score } of dump.scores) line('score', score)
  for (const period of dump.periods) line('period', period)
  for (const { contractVersions: _, ...snapshot } of dump.snapshots) line('snapshot', snapshot)
  for (const leaderboard of dump.leaderboards) line('leaderboard', leaderboard)
  for (const { contractVersions: _, moves: __, ...checkpoint } of dump.checkpoints) line('checkpoint', checkpoint)
  return hash.digest('hex')
}
