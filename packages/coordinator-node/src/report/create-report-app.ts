import { OpenAPIHono } from '@hono/zod-openapi'
import { Registry } from 'prom-client'
import { silentLog } from '../ports/log.ts'
import { mountAccess } from './access/access.ts'
import type { RequestVariables } from './access/viewer.ts'
import { mountRoutes, type ReportApp } from './http/mount-routes.ts'
import { errorResponse } from './http/problem.ts'
import { mountCustom } from './operations/mount-custom.ts'
import { countRequests } from './operations/request-metrics.ts'
import { addPage } from './page/add-page.ts'
import { addReference } from './reference/add-reference.ts'
import type { ReportContext } from './report-context.ts'
import { allRoutes } from './routes/all-routes.ts'

export type ReportOptions = Omit<ReportContext, 'log' | 'metrics'> & Partial<Pick<ReportContext, 'log'>>

/**
 * The REST API over the stored data of a node; any number of instances may run concurrently. Errors are problems (RFC 9457);
 * every response may be read by any origin.
 * @example const server = await startReportServer({ app: createReportApp({ reads: store, info, contract, clock }), port: 8000 })
 */
export function createReportApp(options: ReportOptions): ReportApp {
  const metrics = new Registry()
  const report: ReportContext = { ...options, metrics, log: options.log ?? silentLog }
  const app: ReportApp = new OpenAPIHono<{ Variables: RequestVariables }>()
  app.use(countRequests(metrics))
  mountAccess(app, report, allRoutes)
  app.onError((error, context) => errorResponse(error, context, report.log))
  mountRoutes(app, allRoutes, report)
  mountCustom(app, report)
  addReference(app, report.info)
  addPage(app, report.pageFolder)
  return app
}
