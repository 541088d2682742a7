import { z } from 'zod'

// The forms that the existing web application reads. It matches columns by `property` and widgets by `id` with its own.

export const columnSchema = z
  .object({
    id: z.number().int(),
    type: z.enum(['PROJECT', 'USERNAME', 'VALUE', 'REWARD_RANK']),
    property: z.string().min(1).meta({ description: 'The field of a row of the leaderboard.' }),
    format: z
      .string()
      .regex(/^(percentage|integer|compact|number|decimal-\d+)$/)
      .nullable(),
    displayName: z.string().min(1),
    tooltip: z.string().nullable(),
    nativeConfiguration: z.object({ type: z.literal('model'), statusProperty: z.string() }).nullable(),
    order: z.number().int(),
  })
  .meta({ id: 'LeaderboardColumn' })

const filter = z.object({
  property: z.string(),
  label: z.string(),
  type: z.literal('select'),
  autoSelectFirst: z.boolean(),
})

export const widgetSchema = z
  .object({
    id: z.number().int(),
    type: z.literal('CHART'),
    displayName: z.string().min(1),
    tooltip: z.string().nullable(),
    order: z.number().int(),
    endpointUrl: z.string().regex(/^\//).meta({ description: 'The route whose rows the chart shows.' }),
    nativeConfiguration: z.object({
      type: z.literal('line'),
      xAxis: z.object({ name: z.string() }),
      yAxis: z.object({ series: z.array(z.object({ name: z.string(), label: z.string() })), format: z.string() }),
      displayEvolution: z.boolean(),
      groupByProperty: z.string().optional(),
      alertConfig: z.object({ field: z.string(), reasonField: z.string() }).optional(),
      filterConfig: z.array(filter).optional(),
    }),
  })
  .meta({ id: 'MetricsWidget' })

export type Column = z.infer<typeof columnSchema>
export type Widget = z.infer<typeof widgetSchema>
