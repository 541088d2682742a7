import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { requestId } from 'hono/request-id'
import { silentLog } from '../ports/log.ts'
import { mountRoutes, type ReportApp } from './http/mount-routes.ts'
import { errorResponse, problem } from './http/problem.ts'
import type { RequestVariables } from './http/viewer.ts'
import { addReference } from './reference/add-reference.ts'
import type { ReportContext } from './report-context.ts'
import { allRoutes } from './routes/all-routes.ts'

export type ReportOptions = Omit<ReportContext, 'log'> & Partial<Pick<ReportContext, 'log'>>

const maxBodyBytes = 65_536

/**
 * The REST API over the stored data of a node; any number of instances may run concurrently. Errors are problems (RFC 9457);
 * every response may be read by any origin.
 * @example const server = await startReportServer({ app: createReportApp({ reads: store, info, contract, clock }), port: 8000 })
 */
export function createReportApp(options: ReportOptions): ReportApp {
  const report: ReportContext = { ...options, log: options.log ?? silentLog }
  const app: ReportApp = new OpenAPIHono<{ Variables: RequestVariables }>()
  app.use(requestId())
  // Before everything that can fail, so that browsers can also read errors.
  app.use(cors({ origin: '*', exposeHeaders: ['X-Request-Id'] }))
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) => problem(context, 413, `The body is larger than ${maxBodyBytes} bytes.`),
    }),
  )
  app.onError((error, context) => errorResponse(error, context, report.log))
  mountRoutes(app, allRoutes, report)
  addReference(app, report.info)
  return app
}
