import { z } from 'zod'
import { count, numberOrNull, role, scoredRow, textOrNull, zonedTime } from '../../schemas/fields.ts'

/** What a row is ranked by. */
export const scoreRanking = z.object({
  key: z.string().meta({ description: 'The column by which models are ranked.', examples: ['score_recent'] }),
  value: numberOrNull,
  direction: z.enum(['asc', 'desc']),
  newcomers: z.enum(['wait', 'worst', 'own']),
  min_coverage: z.number(),
  own_order: z.boolean().meta({
    description: 'The contract orders the models (`leaderboard.rank`), so the order can differ from that of `value`.',
  }),
})

export const scoreMetrics = z.record(z.string(), numberOrNull)

export const leaderboardRow = scoredRow({
  created_at: zonedTime,
  era: z.number().int(),
  model_id: z.string(),
  model_name: textOrNull,
  cruncher_id: textOrNull,
  cruncher_name: textOrNull,
  username: textOrNull.meta({ description: 'The same as `cruncher_name`.' }),
  rank: z.number().int().nullable().meta({ description: '1 is best; null without a rank.' }),
  unranked_reason: z
    .enum(['baseline', 'organizer', 'retired', 'no_data', 'no_value', 'waiting', 'low_coverage'])
    .nullable(),
  role: role.nullable(),
  status: z
    .enum(['active', 'inactive'])
    .meta({ description: 'Whether the model answered anything in the ranking window.' }),
  coverage: numberOrNull.meta({ description: '`answered_count` / `round_count`.' }),
  score_count: count.meta({ description: 'Scores in the ranking window, imputed ones included.' }),
  answered_count: count.nullable().meta({
    description: 'Rounds with a valid score, not an imputed one. Null on a board that an earlier version closed.',
  }),
  round_count: count.nullable(),
  score_metrics: scoreMetrics.meta({ description: 'All windows and metrics, which are also columns of the row.' }),
  score_columns: z.array(z.string()).meta({ description: 'The keys of `score_metrics` in the order of the contract.' }),
  score_ranking: scoreRanking,
}).meta({ id: 'LeaderboardRow' })
