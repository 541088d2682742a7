import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { silentLog } from '../ports/log.ts'
import { addCheckpointsRoute } from './checkpoints.ts'
import { addErasRoute } from './eras.ts'
import { errorBody, errorResponse } from './error-response.ts'
import { addFeedsRoute } from './feeds.ts'
import { addHealthRoute } from './health.ts'
import { addInfoRoute } from './info.ts'
import { addLeaderboardRoute } from './leaderboard.ts'
import { addModelActivityRoute } from './model-activity.ts'
import { addModelsRoute } from './models.ts'
import { addPredictionsRoute } from './predictions.ts'
import type { ReportContext } from './report-context.ts'
import { addSnapshotsRoute } from './snapshots.ts'

export type ReportOptions = Omit<ReportContext, 'log'> & Partial<Pick<ReportContext, 'log'>>

const maxBodyBytes = 65_536

/**
 * The REST API over the stored data of a node. It only reads; any number of instances may run concurrently.
 * Errors are `{ detail, message }`, with `fieldErrors` for invalid parameters; every response may be read by any origin.
 * @example const server = await startReportServer({ app: createReportApp({ reads: store, info, contract, clock }), port: 8000 })
 */
export function createReportApp(options: ReportOptions): Hono {
  const report: ReportContext = { ...options, log: options.log ?? silentLog }
  const app = new Hono()
  // First, so that browsers can also read errors.
  app.use(cors({ origin: '*' }))
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) => context.json(errorBody(`The body is larger than ${maxBodyBytes} bytes.`), 413),
    }),
  )
  app.onError((error, context) => errorResponse(error, context, report.log))
  app.notFound((context) => context.json(errorBody(`There is no ${context.req.method} ${context.req.path}.`), 404))
  addHealthRoute(app, report)
  addInfoRoute(app, report)
  addErasRoute(app, report)
  addLeaderboardRoute(app, report)
  addModelsRoute(app, report)
  addModelActivityRoute(app, report)
  addPredictionsRoute(app, report)
  addFeedsRoute(app, report)
  addSnapshotsRoute(app, report)
  addCheckpointsRoute(app, report)
  return app
}
