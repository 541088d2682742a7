import type { ExportContext, ExportTable } from './export-table.ts'
import { leaderboardTable } from './leaderboard-table.ts'
import { predictionTable, scoreTable } from './prediction-table.ts'
import { snapshotTable } from './snapshot-table.ts'

export const exportKinds = ['predictions', 'scores', 'snapshots', 'leaderboard'] as const
export type ExportKind = (typeof exportKinds)[number]

/** A table of what a node stored. */
export function exportTable(kind: ExportKind, context: ExportContext): Promise<ExportTable> {
  const tables = {
    predictions: predictionTable,
    scores: scoreTable,
    snapshots: snapshotTable,
    leaderboard: leaderboardTable,
  }
  return tables[kind](context)
}
