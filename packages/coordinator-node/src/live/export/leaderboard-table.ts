import { leaderboardRows } from '../../report/leaderboard.ts'
import { type Column, type ExportContext, type ExportTable, tableOf } from './export-table.ts'

type Row = Awaited<ReturnType<typeof leaderboardRows>>[number]

/** The newest leaderboard, in the order in which it is shown. */
export async function leaderboardTable({ store, contract }: ExportContext): Promise<ExportTable> {
  const rows = await leaderboardRows(store, contract)
  const scores = [...new Set(rows.flatMap((row) => Object.keys(row.score_metrics)))]
  const columns: readonly Column<Row>[] = [
    { name: 'as_of', type: 'time', of: (row) => Date.parse(row.created_at) },
    { name: 'era', type: 'integer', of: (row) => row.era },
    { name: 'rank', type: 'integer', of: (row) => row.rank },
    { name: 'unranked_reason', type: 'text', of: (row) => row.unranked_reason },
    { name: 'model_id', type: 'text', of: (row) => row.model_id },
    { name: 'model_name', type: 'text', of: (row) => row.model_name },
    { name: 'cruncher_id', type: 'text', of: (row) => row.cruncher_id },
    { name: 'cruncher_name', type: 'text', of: (row) => row.cruncher_name },
    { name: 'role', type: 'text', of: (row) => row.role },
    { name: 'ranked_by', type: 'text', of: (row) => row.score_ranking.key },
    { name: 'direction', type: 'text', of: (row) => row.score_ranking.direction },
    ...scores.map((name): Column<Row> => ({ name, type: 'number', of: (row) => row.score_metrics[name] ?? null })),
    { name: 'score_count', type: 'integer', of: (row) => row.score_count },
    { name: 'answered_count', type: 'integer', of: (row) => row.answered_count ?? null },
    { name: 'round_count', type: 'integer', of: (row) => row.round_count ?? null },
    { name: 'coverage', type: 'number', of: (row) => row.coverage },
  ]
  return tableOf(columns, async function* () {
    yield rows
  })
}
