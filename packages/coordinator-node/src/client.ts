/**
 * A typed client of a node's report API:
 *
 * ```ts
 * import { createReportClient } from '@crunch/coordinator-node/client'
 *
 * const node = createReportClient('http://127.0.0.1:8000')
 * for (const { rank, model_name } of await node.get('/reports/leaderboard')) console.log(rank, model_name)
 * ```
 *
 * @packageDocumentation
 */

export {
  type AnswerOf,
  type CallOf,
  createReportClient,
  type ReportClient,
  type ReportClientOptions,
  ReportError,
} from './report/client/create-report-client.ts'
