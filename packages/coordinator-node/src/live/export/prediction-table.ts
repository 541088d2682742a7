import type { Model } from '../../domain/models/model.ts'
import type { PredictionCursor, PredictionExport } from '../../ports/store-exports.ts'
import { type Column, type ExportContext, type ExportTable, tableOf } from './export-table.ts'

/** Rows per page. Small, because an answer may exceed a megabyte. */
const pageRows = 500

interface Row extends PredictionExport {
  readonly model: Model | undefined
}

const identity: readonly Column<Row>[] = [
  { name: 'prediction_id', type: 'text', of: ({ prediction }) => prediction.id },
  { name: 'round_id', type: 'text', of: ({ prediction }) => prediction.roundId },
  { name: 'schedule', type: 'text', of: ({ scheduleKey }) => scheduleKey },
  { name: 'source', type: 'text', of: ({ scope }) => scope.source },
  { name: 'subject', type: 'text', of: ({ scope }) => scope.subject },
  { name: 'model_id', type: 'text', of: ({ prediction }) => prediction.modelId },
  { name: 'model_name', type: 'text', of: ({ model }) => model?.name ?? null },
  { name: 'cruncher_id', type: 'text', of: ({ model }) => model?.cruncherId ?? null },
  { name: 'performed_at', type: 'time', of: ({ prediction }) => prediction.performedAt },
  { name: 'resolvable_at', type: 'time', of: ({ prediction }) => prediction.resolvableAt },
]

const content: readonly Column<Row>[] = [
  { name: 'answer', type: 'json', of: ({ prediction }) => prediction.output },
  { name: 'truth', type: 'json', of: ({ actuals }) => actuals },
]

const outcome: readonly Column<Row>[] = [
  { name: 'status', type: 'text', of: ({ prediction }) => prediction.status },
  { name: 'reason', type: 'text', of: ({ prediction }) => prediction.reason },
  { name: 'blame', type: 'text', of: ({ prediction }) => prediction.blame },
  { name: 'detail', type: 'text', of: ({ prediction }) => prediction.detail },
  { name: 'duration_ms', type: 'number', of: ({ prediction }) => prediction.durationMs },
  { name: 'void_reason', type: 'text', of: ({ voidReason }) => voidReason },
]

/** The predictions of a time range, by `performedAt`, with answer and truth. */
export async function predictionTable(context: ExportContext): Promise<ExportTable> {
  const columns = [...identity, ...outcome, ...content]
  return tableOf(columns, () => pagesOf(context, () => true))
}

/** The scores of a time range, by their prediction's `performedAt`, with the answer and truth they are computed from. */
export async function scoreTable(context: ExportContext): Promise<ExportTable> {
  const { value: field } = context.contract
  const columns: readonly Column<Row>[] = [
    ...identity,
    { name: 'score_kind', type: 'text', of: ({ score }) => score?.kind ?? null },
    { name: 'value', type: 'number', of: ({ score }) => numberAt(score?.value, field) },
    { name: 'score', type: 'json', of: ({ score }) => score?.value ?? null },
    { name: 'reason', type: 'text', of: ({ score }) => score?.reason ?? null },
    { name: 'signal', type: 'number', of: ({ score }) => score?.signal ?? null },
    { name: 'actual', type: 'number', of: ({ score }) => score?.actual ?? null },
    { name: 'scored_at', type: 'time', of: ({ score }) => score?.scoredAt ?? null },
    { name: 'contract_version', type: 'integer', of: ({ score }) => score?.contractVersion ?? null },
    ...content,
  ]
  return tableOf(columns, () => pagesOf(context, ({ score }) => score !== null))
}

async function* pagesOf(
  { store, range }: ExportContext,
  isWanted: (row: PredictionExport) => boolean,
): AsyncGenerator<readonly Row[]> {
  const models = new Map((await store.models()).map((model) => [model.id, model]))
  for (let after: PredictionCursor | null = null; ; ) {
    const page: readonly PredictionExport[] = await store.predictionExports({ ...range, after, limit: pageRows })
    const last = page.at(-1)
    if (last === undefined) return
    yield page.filter(isWanted).map((row) => ({ ...row, model: models.get(row.prediction.modelId) }))
    if (page.length < pageRows) return
    after = last.prediction
  }
}

function numberAt(value: Readonly<Record<string, unknown>> | null | undefined, field: string): number | null {
  const found = value !== null && value !== undefined && Object.hasOwn(value, field) ? value[field] : null
  return typeof found === 'number' ? found : null
}
