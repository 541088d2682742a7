import { z } from 'zod'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { flagField, wholeNumberField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { type BoardArchive, boardArchive, type KeptBoard } from '../../rows/board-archive.ts'
import { isEnsemble, timeOrNull, windowKey, zonedTime } from '../../rows/row-fields.ts'
import { numberOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'

const dayMs = 86_400_000

const rank = z.number().int().nullable()

export const leaderboardTrends = defineRoute({
  method: 'get',
  path: '/reports/leaderboard/trends',
  tag: 'Leaderboard',
  summary:
    'How the models of the newest leaderboard moved: their ranks a day before, and the value by which they rank.',
  description: 'Only boards of the same era and the same ranking window are compared. In display order.',
  tier: 'public',
  query: z.object({
    include_ensembles: flagField,
    points: wholeNumberField(30, 100).meta({ description: 'The newest closed periods in the series.' }),
  }),
  answer: z
    .object({
      as_of: zonedTimeSchema.nullable().meta({ description: 'The end of the newest closed period; null before it.' }),
      compared_with: zonedTimeSchema.nullable().meta({
        description: 'The newest board at least 24 h older, which has `rank_before`. Null without one.',
      }),
      key: z.string().meta({ description: 'The column of the leaderboard with these values.' }),
      direction: z.enum(['asc', 'desc']),
      times: z
        .array(zonedTimeSchema)
        .meta({ description: 'The end of each closed period of the series, oldest first. UTC, with Z.' }),
      models: z.array(
        z
          .object({
            model_id: z.string(),
            rank: rank.meta({ description: '1 is best; null without a rank.' }),
            rank_before: rank.meta({
              description: 'On the board `compared_with`; null if it had none or was not on it.',
            }),
            values: z
              .array(numberOrNull)
              .meta({ description: 'At each of `times`; null if it had no value or was not on that board.' }),
          })
          .meta({ id: 'LeaderboardTrend' }),
      ),
    })
    .meta({ id: 'LeaderboardTrends' }),
  example: { path: '/reports/leaderboard/trends?points=3' },
})

export const serveLeaderboardTrends = serveRoute(leaderboardTrends, ({ reads, contract }) => {
  const archive = boardArchive(reads)
  return async ({ query: { points, include_ensembles } }) => {
    const { newest, boards, before } = await comparedBoards(reads, archive, points)
    const ids = (newest?.modelIds() ?? []).filter((id) => include_ensembles || !isEnsemble(id))
    return {
      as_of: timeOrNull(newest?.asOf ?? null),
      compared_with: timeOrNull(before?.asOf ?? null),
      ...rankedBy(newest, contract),
      times: boards.map(({ asOf }) => zonedTime(asOf)),
      models: ids.map((id) => ({
        model_id: id,
        rank: newest?.placeOf(id)?.rank ?? null,
        rank_before: before?.placeOf(id)?.rank ?? null,
        values: boards.map((board) => board.placeOf(id)?.value ?? null),
      })),
    }
  }
})

function rankedBy(newest: KeptBoard | undefined, { rankBy, direction }: ReportContract) {
  return { key: windowKey(newest?.rankBy ?? rankBy), direction }
}

interface ComparedBoards {
  readonly newest: KeptBoard | undefined
  /** Up to `points` up to the newest, oldest first. */
  readonly boards: readonly KeptBoard[]
  /** The newest of at least a day before. */
  readonly before: KeptBoard | undefined
}

async function comparedBoards(
  reads: Pick<ReportReads, 'periodEnds'>,
  archive: BoardArchive,
  points: number,
): Promise<ComparedBoards> {
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  const ends = await reads.periodEnds({ ...all, limit: points })
  const asOf = ends.at(-1)
  if (asOf === undefined) return { newest: undefined, boards: [], before: undefined }
  const [dayBefore] = await reads.periodEnds({ ...all, to: asOf - dayMs, limit: 1 })
  const found = await archive.at([...ends, ...(dayBefore === undefined ? [] : [dayBefore])])
  const byEnd = new Map<Instant, KeptBoard>(found.map((board) => [board.asOf, board]))
  const newest = byEnd.get(asOf)
  const isComparable = (board: KeptBoard | undefined): board is KeptBoard =>
    board !== undefined && board.era === newest?.era && board.rankBy === newest.rankBy
  const before = dayBefore === undefined ? undefined : byEnd.get(dayBefore)
  return {
    newest,
    boards: ends.map((end) => byEnd.get(end)).filter(isComparable),
    before: isComparable(before) ? before : undefined,
  }
}
