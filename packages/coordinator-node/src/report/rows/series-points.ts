import { z } from 'zod'
import type { Instant } from '../../domain/time.ts'
import { chartFields, readRange, wholeNumberField } from '../http/query-fields.ts'
import type { ReportContext } from '../report-context.ts'
import { visibleModelIds } from './visible-models.ts'

const weekMs = 604_800_000
/** Of one answer: 13 MB of metrics, 34 MB of windows and metrics. */
const maxRows = 50_000

/** The parameters of a chart's series. */
export const seriesQuery = z.object({
  ...chartFields,
  points: wholeNumberField(200, 2_000).meta({
    description: `Maximum number of points per model, evenly spread, the newest included; fewer if the answer would exceed ${maxRows} rows.`,
  }),
})

export interface SeriesSpan {
  /** Empty: all models. */
  readonly modelIds: readonly string[]
  readonly from: Instant
  readonly to: Instant
  readonly points: number
}

/** What a chart asks for: by default the week before now. `null` if it shows no model. */
export async function seriesSpan(
  { reads, clock }: Pick<ReportContext, 'reads' | 'clock'>,
  query: z.output<typeof seriesQuery>,
): Promise<SeriesSpan | null> {
  const { from, to } = await readRange(query, clock, weekMs)
  const modelIds = await visibleModelIds(reads, query)
  if (modelIds === null) return null
  const modelCount = modelIds.length === 0 ? (await reads.models()).length : modelIds.length
  return {
    modelIds,
    from,
    to,
    points: Math.max(1, Math.min(query.points, Math.floor(maxRows / Math.max(1, modelCount)))),
  }
}

/** The ends of the closed periods in a span, of which at most `points` are kept. */
export async function seriesEnds(
  { reads }: Pick<ReportContext, 'reads'>,
  { from, to, points }: SeriesSpan,
): Promise<Instant[]> {
  return evenlySpread(
    (await reads.periodsBetween(from, to)).map(({ periodEnd }) => periodEnd),
    points,
  )
}

/** At most `count` of the items, evenly spread; the last one is kept. */
export function evenlySpread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, index) => items[Math.ceil(((index + 1) * items.length) / count) - 1] as Item)
}

/**
 * At most `count` of these ends, oldest first: the last one of each cell of time. Cells are a power of two of `everyMs` on a grid, so
 * that later requests ask for the same ends, which are kept.
 */
export function endsOnGrid(ends: readonly Instant[], count: number, everyMs: number): Instant[] {
  const [first, last] = [ends[0], ends.at(-1)]
  if (first === undefined || last === undefined || ends.length <= count) return [...ends]
  if (count === 1) return [last]
  const needed = (last - first) / (count - 1) / everyMs
  const cellMs = everyMs * 2 ** Math.ceil(Math.log2(Math.max(1, needed)))
  const cellOf = (end: Instant) => Math.ceil(end / cellMs)
  return ends.filter((end, index) => cellOf(end) !== cellOf(ends[index + 1] ?? Number.POSITIVE_INFINITY))
}
