import type { Hono } from 'hono'
import { jsonResponse } from './json-response.ts'
import type { ReportContext } from './report-context.ts'

export function addInfoRoute(app: Hono, { info }: ReportContext): void {
  app.get('/info', (context) =>
    jsonResponse(context, {
      crunch_id: info.crunchId,
      crunch_address: info.crunchAddress,
      network: info.network,
      version: info.version,
    }),
  )
}
