import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { requestId } from 'hono/request-id'
import type { ReportApp } from '../http/mount-routes.ts'
import type { ServedRoute } from '../http/serve-route.ts'
import { customTiers } from '../operations/mount-custom.ts'
import { pageTiers } from '../page/add-page.ts'
import type { ReportContext } from '../report-context.ts'
import { readConnection } from './client-address.ts'
import { createGate } from './gate.ts'
import { createKeyRing } from './key-ring.ts'
import { containsKey } from './key-text.ts'
import { splitPathKey } from './path-key.ts'
import { keyInQuery } from './presented-key.ts'
import { refuse } from './refuse.ts'
import { whyOutOfLimits } from './request-limits.ts'
import { addSecurityHeaders } from './security-headers.ts'
import { createTiers, type TierOf, type TierRow } from './tiers.ts'

export interface AccessOptions {
  readonly report: Pick<ReportContext, 'reads' | 'probe' | 'log' | 'access'>
  readonly tierOf: TierOf
  /** Serves a request of this app, for the path without its key. */
  readonly serve: (request: Request, env: unknown) => Response | Promise<Response>
  /** Clocks, for tests. */
  readonly clocks?: { readonly wallNow: () => number; readonly monotonicMs: () => number }
}

const maxBodyBytes = 65_536
/** In any state of the database, a request knows within this time whether its key is valid. */
const keyReadLimitMs = 1_000
const systemClocks = { wallNow: () => Date.now(), monotonicMs: () => performance.now() }

/** Pages of the reference, which are no routes of the API. */
const referenceTiers: readonly TierRow[] = ['/openapi.json', '/docs', '/docs/*'].map((path) => ({
  ...{ method: 'GET', path },
  tier: 'public',
}))

/** Puts it in front of an app's routes, whose definitions state their tiers. */
export function mountAccess(app: ReportApp, report: ReportContext, routes: readonly ServedRoute[]): void {
  const definitions = routes.map(({ definition }) => definition)
  const tierOf = createTiers([...definitions, ...referenceTiers, ...customTiers, ...pageTiers])
  const serve: AccessOptions['serve'] = (request, env) => app.fetch(request, env as object)
  for (const middleware of accessMiddleware({ report, tierOf, serve })) app.use(middleware)
}

/** Everything between the socket and a route: request id, CORS, limits, keys and tiers. It sets `requestId` and `viewer`. */
export function accessMiddleware(options: AccessOptions): MiddlewareHandler[] {
  const { report, clocks = systemClocks } = options
  const { reads, probe } = report
  const keys = createKeyRing({
    ...clocks,
    legacyKey: report.access?.legacyKey,
    machineKey: report.access?.machineKey,
    read: (at) => (probe === undefined ? reads.apiKeys(at) : probe(keyReadLimitMs, (parallel) => parallel.apiKeys(at))),
  })
  return [
    unwrapPathKey(options.serve),
    requestId(),
    // Before everything that can fail, so that pages can read errors, and preflights need no key.
    share,
    addSecurityHeaders,
    checkForm,
    bodyLimit({ maxSize: maxBodyBytes, onError: () => refuse(413, `The body is larger than ${maxBodyBytes} bytes.`) }),
    createGate({ ...options, keys, monotonicMs: clocks.monotonicMs }),
  ]
}

/** Pages of all sites may read, and send a key that they have. Without credentials, so that browsers add none by themselves. */
const sharing = {
  origin: '*',
  allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposeHeaders: ['X-Request-Id', 'ETag', 'Link', 'Retry-After', 'WWW-Authenticate'],
  maxAge: 600,
}

const preflight = cors(sharing)

/** Once there is an answer: hono would set the headers before it, and then copy the body of every answer. */
const share: MiddlewareHandler = async (context, next) => {
  if (context.req.method === 'OPTIONS') return preflight(context, next)
  await next()
  context.res.headers.set('access-control-allow-origin', sharing.origin)
  context.res.headers.set('access-control-expose-headers', sharing.exposeHeaders.join(','))
}

/** First, so that no log line and no error contains the key. */
function unwrapPathKey(serve: AccessOptions['serve']): MiddlewareHandler {
  return async (context, next) => {
    // A URL is parsed only if needed: this is on the path of every request.
    const split = context.req.path.startsWith('/k/') ? splitPathKey(new URL(context.req.url)) : null
    if (split === null) return next()
    const request = new Request(split.url, context.req.raw)
    const sent = request.headers.get('x-api-key')
    if (sent === null) request.headers.set('x-api-key', split.key)
    // Both arrive, and are refused together.
    else if (sent !== split.key) request.headers.set('authorization', `Bearer ${split.key}`)
    return serve(request, context.env)
  }
}

const checkForm: MiddlewareHandler = async (context, next) => {
  const url = new URL(context.req.url)
  const refusal = whyOutOfLimits(url, readConnection(context.env)?.headerCount ?? 0)
  if (refusal !== null) refuse(refusal.status, refusal.text)
  const text = url.search === '' ? null : keyInQuery(url.searchParams)
  if (text !== null) refuse(400, text)
  if (containsKey(context.req.path))
    refuse(400, 'A key in the path comes first and once, as in /k/KEY/reports/leaderboard.')
  return next()
}
