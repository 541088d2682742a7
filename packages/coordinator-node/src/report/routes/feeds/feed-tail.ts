import { z } from 'zod'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { cursorField, pageOf } from '../../http/cursor.ts'
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
  query: z.object({
    ...{ source: part, subject: part, kind: part, granularity: part, limit: limitField(20, 200) },
    cursor: cursorField(z.tuple([z.int(), z.int(), z.string()])),
  }),
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

export const serveFeedTail = serveRoute(feedTail, ({ reads }) => async ({ query, context }) => {
  const { limit, cursor } = query

  const scopes = (await reads.feedStates()).map(({ scope }) => scope).filter((scope) => matches(scope, query))
  // One more for the record of the cursor itself, and one that says whether there is another page.
  const newest = await Promise.all(
    scopes.map((scope) => reads.newestRecords(scope, limit + 2, cursor?.[0] ?? Number.POSITIVE_INFINITY)),
  )
  const rest = newest
    .flat()
    .map((record) => ({ ...record, key: [record.eventAt, record.knownAt, feedScopeKey(record)] as const }))
    .filter(({ key }) => cursor === undefined || compareKeys(key, cursor) > 0)
    .sort((one, other) => compareKeys(one.key, other.key))
  return pageOf(rest, limit, { context, keyOf: ({ key }) => key }).map(
    ({ source, subject, kind, granularity, eventAt, receivedAt, values }) => ({
      ...{ source, subject, kind, granularity },
      ts_event: zonedTime(eventAt),
      ts_ingested: zonedTime(receivedAt),
      values,
      meta: {},
    }),
  )
})

type Key = readonly [eventAt: number, knownAt: number, scope: string]

/** Newest first. */
function compareKeys(one: Key, other: Key): number {
  return other[0] - one[0] || other[1] - one[1] || (one[2] < other[2] ? -1 : Number(one[2] > other[2]))
}

type Parts = Readonly<Partial<Record<keyof FeedScope, string | undefined>>>

/** An empty part matches every series. */
function matches(scope: FeedScope, parts: Parts): boolean {
  const names = ['source', 'subject', 'kind', 'granularity'] as const
  return names.every((name) => !parts[name] || parts[name] === scope[name])
}
