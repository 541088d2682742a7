import type { Json } from '../../domain/json/json.ts'
import { coverageOf } from '../../domain/models/coverage.ts'
import type { Model } from '../../domain/models/model.ts'
import { type Snapshot, snapshotMeans } from '../../domain/snapshot.ts'
import { type Column, type ExportContext, type ExportTable, tableOf } from './export-table.ts'

/** Periods per page; each has one snapshot per model. */
const pagePeriods = 10

interface Row {
  readonly snapshot: Snapshot
  readonly model: Model | undefined
  readonly means: Readonly<Record<string, number | null>>
}

/** The snapshots whose periods lie within a time range. */
export async function snapshotTable(context: ExportContext): Promise<ExportTable> {
  const { contract } = context
  const columns: readonly Column<Row>[] = [
    { name: 'era', type: 'integer', of: ({ snapshot }) => snapshot.era },
    { name: 'period_start', type: 'time', of: ({ snapshot }) => snapshot.periodStart },
    { name: 'period_end', type: 'time', of: ({ snapshot }) => snapshot.periodEnd },
    { name: 'model_id', type: 'text', of: ({ snapshot }) => snapshot.modelId },
    { name: 'model_name', type: 'text', of: ({ model }) => model?.name ?? null },
    { name: 'cruncher_id', type: 'text', of: ({ model }) => model?.cruncherId ?? null },
    { name: 'score_count', type: 'integer', of: ({ snapshot }) => snapshot.scoreCount },
    { name: 'due_count', type: 'integer', of: ({ snapshot }) => snapshot.dueCount },
    { name: 'answered_count', type: 'integer', of: ({ snapshot }) => snapshot.validCount },
    {
      name: 'round_count',
      type: 'integer',
      of: ({ snapshot }) => snapshot.roundCount - snapshot.excusedCount,
    },
    { name: 'coverage', type: 'number', of: ({ snapshot }) => coverageOf(snapshot) },
    ...contract.scoreFields.map(
      (name): Column<Row> => ({ name: `mean_${name}`, type: 'number', of: ({ means }) => means[name] ?? null }),
    ),
    ...contract.metrics.map(
      (name): Column<Row> => ({
        name: `metric_${name}`,
        type: 'number',
        of: ({ snapshot }) => snapshot.metrics[name] ?? null,
      }),
    ),
    { name: 'others', type: 'json', of: (row) => othersOf(row, contract) },
  ]
  return tableOf(columns, () => pagesOf(context))
}

/** Numbers that an era with other rules computed and that have no column of their own. */
function othersOf({ snapshot, means }: Row, { scoreFields, metrics }: ExportContext['contract']): Json {
  const others = [
    ...Object.entries(means).flatMap(([name, value]) =>
      scoreFields.includes(name) ? [] : [[`mean_${name}`, value] as const],
    ),
    ...Object.entries(snapshot.metrics).flatMap(([name, value]) =>
      metrics.includes(name) ? [] : [[`metric_${name}`, value] as const],
    ),
  ]
  return others.length === 0 ? null : Object.fromEntries(others)
}

async function* pagesOf({ store, range }: ExportContext): AsyncGenerator<readonly Row[]> {
  const models = new Map((await store.models()).map((model) => [model.id, model]))
  const periods = await store.periodsBetween(range.from, range.to)
  for (let from = 0; from < periods.length; from += pagePeriods) {
    const [first, last] = [periods[from], periods[Math.min(from + pagePeriods, periods.length) - 1]]
    if (first === undefined || last === undefined) return
    const snapshots = await store.snapshotsBetween(first.periodStart, last.periodEnd)
    yield snapshots.map((snapshot) => ({
      snapshot,
      model: models.get(snapshot.modelId),
      means: snapshotMeans(snapshot),
    }))
  }
}
