import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { leaderboardColumns } from './leaderboard-columns.ts'
import { metricsWidgets } from './metrics-widgets.ts'
import { columnSchema, widgetSchema } from './web-schema.ts'

const shared = { method: 'get', tag: 'Schema', tier: 'public', extra: 'any' } as const

export const schema = defineRoute({
  ...shared,
  path: '/reports/schema',
  summary: 'The columns of the leaderboard and the charts of the web application, from the contract.',
  answer: z
    .object({
      schema_version: z.literal('1'),
      leaderboard_columns: z.array(columnSchema),
      metrics_widgets: z.array(widgetSchema),
    })
    .meta({ id: 'WebSchema' }),
  example: { path: '/reports/schema' },
})

export const serveSchema = serveRoute(schema, ({ contract }) => async () => ({
  schema_version: '1' as const,
  leaderboard_columns: leaderboardColumns(contract),
  metrics_widgets: metricsWidgets(contract),
}))

export const schemaColumns = defineRoute({
  ...shared,
  path: '/reports/schema/leaderboard-columns',
  summary: 'The columns of the leaderboard.',
  answer: z.array(columnSchema),
  example: { path: '/reports/schema/leaderboard-columns' },
})

export const serveSchemaColumns = serveRoute(
  schemaColumns,
  ({ contract }) =>
    async () =>
      leaderboardColumns(contract),
)

export const schemaWidgets = defineRoute({
  ...shared,
  path: '/reports/schema/metrics-widgets',
  summary: 'The charts of the web application.',
  answer: z.array(widgetSchema),
  example: { path: '/reports/schema/metrics-widgets' },
})

export const serveSchemaWidgets = serveRoute(
  schemaWidgets,
  ({ contract }) =>
    async () =>
      metricsWidgets(contract),
)
