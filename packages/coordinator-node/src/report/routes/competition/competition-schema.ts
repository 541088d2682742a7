import { z } from 'zod'
import { numberOrNull, textOrNull } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'

const seconds = z.number().meta({ description: 'In seconds.' })
const share = z.number().min(0).max(1)

/** A field of a value of the contract. */
const field = z
  .object({
    name: z.string().meta({
      description:
        'With a dot before a field inside another, and `[]` for the items of a list; empty: the value itself.',
      examples: ['closes[]'],
    }),
    type: z.string().meta({ examples: ['number', 'list of number'] }),
    unit: textOrNull.meta({ description: "`unit` of the field's `.meta()`; of the ranking field also `score.unit`." }),
    description: textOrNull,
    required: z.boolean(),
    minimum: numberOrNull,
    maximum: numberOrNull,
  })
  .meta({ id: 'ContractField' })

const value = z.object({
  description: textOrNull.meta({ description: "The description of the contract's schema." }),
  fields: z.array(field).nullable().meta({ description: 'Null for a schema that cannot be described.' }),
})

const gate = z.object({
  frozen_after: z.number().int().nullable().meta({ description: 'Records with the same values until it is frozen.' }),
  max_jump: z
    .object({ field: z.string(), limit: z.number().meta({ description: 'Relative to the record before.' }) })
    .nullable(),
  agree: z
    .object({ field: z.string(), within: z.number().meta({ description: 'Relative.' }), with: z.string() })
    .nullable(),
})

/** What the contract says; nothing in it changes while the node runs. */
export const competitionFacts = z.object({
  name: z.string(),
  feeds: z.array(
    z.object({
      ...scopeFields,
      gate: gate.nullable().meta({ description: 'When the series is not trusted; null: only when it is silent.' }),
    }),
  ),
  baselines: z.array(z.string()),
  question: z.object({
    schedules: z.array(
      z.object({
        key: z.string().meta({ examples: ['BTCUSDT-5m'] }),
        ...scopeFields,
        every: seconds,
        horizon: seconds,
        step: seconds,
        on: z.enum(['record', 'clock']).meta({ description: 'A round opens with a new record, or at grid times.' }),
      }),
    ),
    input: value.extend({ window: seconds.meta({ description: 'How far back the records reach, in seconds.' }) }),
    answer: value.extend({ timeout: seconds, max_values: z.number().int() }),
    missing: z
      .enum(['worst', 'exclude', 'own'])
      .meta({ description: 'The score of a missing answer: the worst of the round, none, or by the contract.' }),
    reveal: z.enum(['with truth', 'at once']).meta({ description: 'When answers become public.' }),
  }),
  truth: value,
  score: value,
  ranking: z.object({
    field: z.string().meta({ description: 'The field of a score by which models are ranked.' }),
    unit: textOrNull,
    direction: z.enum(['asc', 'desc']).meta({ description: 'asc: lower is better.' }),
    rank_by: z.string().meta({ description: 'The window that ranks.' }),
    windows: z.array(
      z.object({
        name: z.string(),
        key: z.string().meta({ description: 'The column of the leaderboard.' }),
        length: seconds,
      }),
    ),
    aggregation: z
      .enum(['mean', 'own'])
      .meta({ description: 'The value of a window: the mean of the scores, or by the contract.' }),
    own_order: z.boolean().meta({ description: 'Whether the contract orders the models itself.' }),
    newcomers: z.enum(['wait', 'worst', 'own']),
    min_coverage: share,
    snapshot_every: seconds,
    metrics: z.array(z.string()),
  }),
  pay: z.object({
    every: seconds,
    min_coverage: share,
    emission: z.object({
      name: z.string(),
      parameters: z.record(z.string(), z.unknown()).nullable(),
    }),
    floor: z
      .object({ baseline: textOrNull, value: numberOrNull })
      .nullable()
      .meta({ description: 'Only models that are strictly better are paid: than this baseline, or this value.' }),
  }),
})

/** What the contract says. */
export type CompetitionFacts = z.input<typeof competitionFacts>
