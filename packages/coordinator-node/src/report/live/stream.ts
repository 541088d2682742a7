import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { isLoopbackNetwork } from '../access/client-address.ts'
import { defineRoute } from '../http/define-route.ts'
import { problem } from '../http/problem.ts'
import { serveRoute } from '../http/serve-route.ts'
import { createLiveHub, type LiveHub } from './live-hub.ts'
import { streamLimits } from './live-source.ts'
import { openStream } from './open-stream.ts'
import { topicRefusal, topics } from './topics.ts'

/** How long a stream that shows more than the public one stays open. */
const keyLifetimeMs = 10_000

const topicPattern = `(${topics.join('|')})`

const topicsField = z
  .string()
  .transform((text) => [...new Set(text.split(',').map((name) => name.trim()))])
  .pipe(z.array(z.enum(topics, `must be some of ${topics.join(', ')}, separated by commas`)))
  .optional()
  .meta({
    type: 'string',
    pattern: `^ *${topicPattern} *(, *${topicPattern} *)*$`,
    description: `Some of ${topics.join(', ')}, separated by commas. Default: all that the key may read.`,
  })

export const stream = defineRoute({
  method: 'get',
  path: '/reports/stream',
  tag: 'Stream',
  summary: 'Changes as server-sent events, with the rows of the other routes.',
  description: [
    '`leaderboard`: the whole new board, as `/reports/leaderboard` gives it. `rounds`: a round that was asked, answered or settled,',
    'as `/reports/rounds/{round_id}` without its predictions. `predictions`: all predictions of such a round, as a list. `feeds`,',
    '`models`, `checkpoints`: one row. Ensembles are left out of boards and predictions. Answers stay hidden as in those routes.',
    'A comment is sent every 15 s as a heartbeat.',
    'A client that sends `Last-Event-ID`, as browsers do by themselves, gets all events since. If they are no longer kept, as after',
    'a restart, or if the node itself missed changes, it gets `reset` with `reason` and `since`: read again what you show.',
    '`end` with a `reason` comes before the node closes the stream: the client was too slow, 15 minutes have passed (10 s with a key), or the node',
    'stops. Ask again then. Beyond 1,000 streams the answer is 503, and beyond 100 of one key or network it is 429.',
  ].join(' '),
  tier: 'read',
  query: z.object({ topics: topicsField }),
  // In OpenAPI 3.1 the schema of such an answer is that of one event.
  answer: z
    .object({
      id: z.string().meta({ description: 'Send it as `Last-Event-ID` to resume after this event.' }),
      event: z.enum([...topics, 'reset', 'end']),
      data: z.string().meta({ contentMediaType: 'application/json' }),
    })
    .meta({ id: 'StreamEvent' }),
  mediaType: 'text/event-stream',
  example: { path: '/reports/stream?topics=leaderboard,rounds' },
})

export const serveStream = serveRoute(stream, (report) => {
  const { live } = report
  if (live === undefined) return async ({ context }) => problem(context, 503, 'This node was started without a stream.')
  const limits = { ...streamLimits, ...live.limits }
  const hub = createLiveHub(report, live, limits)
  return async ({ query, viewer, context }) => {
    const wanted = query.topics ?? topics.filter((topic) => topicRefusal(topic, viewer, report) === null)
    for (const topic of wanted) {
      const refusal = topicRefusal(topic, viewer, report)
      if (refusal !== null) return problem(context, refusal.status, `${topic}: ${refusal.text}`)
    }
    const lastId = context.req.header('last-event-id')
    const resumeFrom = lastId === undefined || lastId === '' ? undefined : hub.ids.read(lastId)
    if (lastId && resumeFrom === undefined) {
      return problem(
        context,
        400,
        'Last-Event-ID is not the id of an event of this API. Send the id as it came, or none.',
      )
    }
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
    if (context.req.method === 'HEAD') return context.body(null, 200, headers)
    await hub.start()
    if (hub.listeners.size >= limits.clients) {
      context.header('retry-after', '30')
      return problem(context, 503, `All ${limits.clients} streams of this node are in use. Try again later.`)
    }
    const counted = context.get('counted')
    if (isTooMany(hub, counted, limits.clientsOfOne)) {
      context.header('retry-after', '30')
      const text = `This client has ${limits.clientsOfOne} open streams, which is the limit. Close one, or try again later.`
      return problem(context, 429, text)
    }
    const { incoming } = (context.env ?? {}) as { readonly incoming?: IncomingMessage }
    // The viewer is fixed while a stream is open, and a revoked key must not stay. The client resumes by the last id.
    const lifetimeMs = viewer.role === 'public' ? limits.lifetimeMs : Math.min(limits.lifetimeMs, keyLifetimeMs)
    const body = openStream({
      ...{ hub, viewer, topics: wanted, resumeFrom, limits: { ...limits, lifetimeMs }, log: report.log },
      stopping: live.stopping,
      requestId: context.get('requestId'),
      counted,
      cut: () => incoming?.socket.destroy(),
    })
    return context.body(body, 200, headers)
  }
})

/** This machine's own address is not limited: an unknown proxy may stand behind it, with all the clients of the node. */
function isTooMany({ listeners }: LiveHub, counted: string | null, limit: number): boolean {
  if (counted === null || isLoopbackNetwork(counted)) return false
  let count = 0
  for (const listener of listeners) if (listener.counted === counted) count += 1
  return count >= limit
}
