import type { Json } from '../../domain/json/json.ts'
import { boardRows, type LeaderboardReport as Row } from '../../report/routes/leaderboard/leaderboard.ts'
import { windowKey } from '../../report/rows/row-fields.ts'
import { type Column, type ExportContext, type ExportTable, tableOf } from './export-table.ts'

/** The leaderboards of the periods in a time range, oldest first; without a range, the newest one. Each is in display order. */
export async function leaderboardTable(context: ExportContext): Promise<ExportTable> {
  const { windows, metrics } = context.contract
  const scores = [...new Set([...windows.map(windowKey), ...metrics])]
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
    { name: 'others', type: 'json', of: ({ score_metrics }) => othersOf(score_metrics, scores) },
  ]
  return tableOf(columns, () => pagesOf(context))
}

/** Values that an era with other rules computed, which have no column of their own. */
function othersOf(values: Row['score_metrics'], names: readonly string[]): Json {
  const others = Object.entries(values).filter(([name, value]) => value !== null && !names.includes(name))
  return others.length === 0 ? null : Object.fromEntries(others)
}

async function* pagesOf({ store, contract, range }: ExportContext): AsyncGenerator<readonly Row[]> {
  const models = await store.models()
  for (const until of await boardTimes(store, range)) {
    yield boardRows(await store.latestLeaderboard(until), models, contract)
  }
}

/** Each period closes with one leaderboard. */
async function boardTimes(store: ExportContext['store'], { from, to }: ExportContext['range']) {
  if (from === Number.NEGATIVE_INFINITY && to === Number.POSITIVE_INFINITY) return [undefined]
  return (await store.periodsBetween(from, to)).map(({ periodEnd }) => periodEnd)
}
