import { Registry } from 'prom-client'
import { z } from 'zod'
import { defineRoute } from '../http/define-route.ts'
import { serveRoute } from '../http/serve-route.ts'
import { createNodeMetrics } from './node-metrics.ts'

const metrics = defineRoute({
  method: 'get',
  path: '/metrics',
  tag: 'Node',
  summary: 'Metrics for Prometheus, in its text format 0.0.4.',
  description:
    'Public like the other probes, since it names no model and answers without the database (`crunch_database_up 0`). Scrapes ' +
    'within 5 s share one read of the database. Counters of predictions, failures, scores and requests begin with the process.',
  tier: 'public',
  extra: 'any',
  answer: z.string(),
  mediaType: 'text/plain',
  example: { path: '/metrics' },
})

export const serveMetrics = serveRoute(metrics, (report) => {
  const registry = report.metrics ?? new Registry()
  const node = createNodeMetrics(registry, report)
  return async ({ context }) => {
    await node.refresh()
    return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType })
  }
})
