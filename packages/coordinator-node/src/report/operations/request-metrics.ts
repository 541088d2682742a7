import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { Counter, Histogram, type Registry } from 'prom-client'
import { splitPathKey } from '../access/path-key.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counts requests by the pattern of their route, so that no client can add a label. It must be the first middleware of the app. */
export function countRequests(registry: Registry): MiddlewareHandler {
  const requests = new Counter({
    ...{ name: 'crunch_http_requests_total', help: 'Answered requests of the report API.', registers: [registry] },
    labelNames: ['method', 'route', 'status'],
  })
  const durations = new Histogram({
    ...{ name: 'crunch_http_request_duration_seconds', help: 'From a request to the start of its answer.' },
    ...{ registers: [registry], labelNames: ['method', 'route'], buckets: seconds },
  })
  return async (context, next) => {
    // A request with its key in the path is served, and counted, as one without it.
    const isWrapped = context.req.path.startsWith('/k/') && splitPathKey(new URL(context.req.url)) !== null
    if (isWrapped) return next()
    const startedAt = performance.now()
    await next()
    const method = methods.includes(context.req.method) ? context.req.method : 'other'
    const route = matchedRoutes(context).find(({ path }) => path !== '/*')?.path ?? 'none'
    requests.inc({ method, route, status: String(context.res.status) })
    durations.observe({ method, route }, (performance.now() - startedAt) / 1_000)
  }
}
