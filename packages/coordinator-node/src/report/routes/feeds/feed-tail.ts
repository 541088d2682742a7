import { z } from 'zod'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField, limitField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'

const part = z.union([z.literal(''), idField]).optional()

export const feedTail = defineRoute({
  method: 'get',
  path: '/reports/feeds/tail',
  tag: 'Feeds',
  summary: 'The newest records of the series that match, newest first.',
  tier: 'public',
  extra: 'charts',
  query: z.object({ source: part, subject: part, kind: part, granularity: part, limit: limitField(20, 200) }),
  answer: z.array(
    z
      .object({
        ...scopeFields,
        ts_event: zonedTimeSchema.meta({ description: "The provider's time: a candle's open. UTC, with Z." }),
        ts_ingested: zonedTimeSchema,
        values: z.record(z.string(), z.unknown()),
        meta: z.record(z.string(), z.unknown()),
      })
      .meta({ id: 'FeedRecord' }),
  ),
  example: { path: '/reports/feeds/tail?limit=2' },
})

export const serveFeedTail = serveRoute(feedTail, ({ reads }) => async ({ query }) => {
  const scopes = (await reads.feedStates()).map(({ scope }) => scope).filter((scope) => matches(scope, query))
  const newest = await Promise.all(
    scopes.map((scope) => reads.latestRecords(scope, query.limit, Number.POSITIVE_INFINITY)),
  )
  return newest
    .flat()
    .sort((one, other) => other.eventAt - one.eventAt || other.knownAt - one.knownAt)
    .slice(0, query.limit)
    .map(({ source, subject, kind, granularity, eventAt, receivedAt, values }) => ({
      ...{ source, subject, kind, granularity },
      ts_event: zonedTime(eventAt),
      ts_ingested: zonedTime(receivedAt),
      values,
      meta: {},
    }))
})

type Parts = Readonly<Partial<Record<keyof FeedScope, string | undefined>>>

/** An empty part matches every series. */
function matches(scope: FeedScope, parts: Parts): boolean {
  const names = ['source', 'subject', 'kind', 'granularity'] as const
  return names.every((name) => !parts[name] || parts[name] === scope[name])
}
