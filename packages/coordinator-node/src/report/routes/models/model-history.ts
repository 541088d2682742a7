import { z } from 'zod'
import { coverageOf } from '../../../domain/models/coverage.ts'
import { type Snapshot, snapshotMeans } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, instantField, wholeNumberField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { boardArchive, type KeptBoard } from '../../rows/board-archive.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { endsOnGrid } from '../../rows/series-points.ts'
import { count, numberOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { knownModel } from './one-model.ts'

const monthMs = 30 * 86_400_000
const maxPeriods = 200_000

const rank = z.number().int().nullable()

const shown = z.object({
  value: numberOrNull.meta({
    description: 'What the model ranked by when the period closed: its value in the ranking window. Null without one.',
  }),
  rank: rank.meta({ description: 'Null without a rank, and on a board without the model.' }),
  period_value: numberOrNull.meta({
    description: 'The mean of the ranking field over this period alone; null without a score in it.',
  }),
  score_count: count.nullable().meta({ description: 'Scores in the period; null if the model had no row in it.' }),
  coverage: numberOrNull.meta({ description: 'Rounds of the period with a valid score, 0 to 1.' }),
})

const historyRow = shown
  .extend({
    period_start: zonedTimeSchema
      .nullable()
      .meta({ description: 'UTC, with Z; null if no model asked for had a row.' }),
    period_end: zonedTimeSchema,
    era: z.number().int(),
    field: z
      .object({ p5: z.number(), p25: z.number(), p50: z.number(), p75: z.number(), p95: z.number() })
      .nullable()
      .meta({ description: 'Quantiles of `value` over all models with one, ensembles left out; null without one.' }),
    rival: shown.nullable().meta({ description: 'The same of the model `rival`; null if there is none.' }),
  })
  .meta({ id: 'ModelHistory' })

export const modelHistory = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/history',
  params: z.object({ model_id: idField }),
  tag: 'Models',
  summary: 'How a model did in each closed period, beside the quantiles of all models, oldest first.',
  description:
    'Default: the 30 days before `until`. Periods without a round have no row. If there are more than `points`, each row is the last period of a cell of time.',
  tier: 'public',
  errors: [404],
  query: z.object({
    rival: idField.optional().meta({ description: 'The id of a model to compare with.' }),
    since: instantField,
    until: instantField,
    points: wholeNumberField(200, 1_000).meta({ description: 'Maximum number of rows; the newest is among them.' }),
  }),
  answer: z.array(historyRow),
  example: { path: '/reports/models/oracle/history?rival=trend&points=2' },
})

export const serveModelHistory = serveRoute(modelHistory, ({ reads, contract, clock }) => {
  const archive = boardArchive(reads)
  return async ({ params: { model_id }, query }) => {
    const to = query.until ?? (await clock.refresh())
    const from = query.since ?? to - monthMs
    checkRange(from, to, 'since')
    await knownModel(reads, model_id)
    const { rival } = query
    if (rival !== undefined) await knownModel(reads, rival)
    const all = await reads.periodEnds({ from, to, limit: maxPeriods })
    const ends = endsOnGrid(all, query.points, contract.snapshotEveryMs)
    const wanted = rival === undefined ? [model_id] : [model_id, rival]
    const [boards, snapshots] = await Promise.all([archive.at(ends), snapshotsByEnd(reads, ends, wanted)])
    return boards.map((board) => {
      const own = snapshots.get(board.asOf)
      const of = (id: string) => shownOf(board, own?.get(id), id, contract.value)
      return {
        ...of(model_id),
        period_start:
          own === undefined ? null : zonedTime(Math.min(...[...own.values()].map((one) => one.periodStart))),
        period_end: zonedTime(board.asOf),
        era: board.era,
        field: fieldOf(board),
        rival: rival === undefined ? null : of(rival),
      }
    })
  }
})

async function snapshotsByEnd(
  reads: Pick<ReportReads, 'snapshotsAt'>,
  ends: readonly Instant[],
  modelIds: readonly string[],
): Promise<ReadonlyMap<Instant, ReadonlyMap<string, Snapshot>>> {
  const byEnd = new Map<Instant, Map<string, Snapshot>>()
  for (const snapshot of await reads.snapshotsAt(ends, modelIds)) {
    const own = byEnd.get(snapshot.periodEnd) ?? new Map<string, Snapshot>()
    byEnd.set(snapshot.periodEnd, own.set(snapshot.modelId, snapshot))
  }
  return byEnd
}

function shownOf(board: KeptBoard, snapshot: Snapshot | undefined, modelId: string, field: string) {
  const place = board.placeOf(modelId)
  return {
    value: place?.value ?? null,
    rank: place?.rank ?? null,
    period_value: snapshot === undefined ? null : (snapshotMeans(snapshot)[field] ?? null),
    score_count: snapshot?.scoreCount ?? null,
    coverage: snapshot === undefined ? null : coverageOf(snapshot),
  }
}

function fieldOf({ quantiles }: KeptBoard) {
  if (quantiles === null) return null
  const [p5, p25, p50, p75, p95] = quantiles as [number, number, number, number, number]
  return { p5, p25, p50, p75, p95 }
}
