import type { Hono } from 'hono'
import { versionRow } from './eras.ts'
import { jsonResponse } from './json-response.ts'
import type { ReportContext } from './report-context.ts'
import { zonedTime } from './row-fields.ts'

export function addInfoRoute(app: Hono, { info }: ReportContext): void {
  app.get('/info', (context) =>
    jsonResponse(context, {
      crunch_id: info.crunchId,
      crunch_address: info.crunchAddress,
      network: info.network,
      version: info.version,
      era: { number: info.era.number, began_at: zonedTime(info.era.beganAt) },
      contract_version: versionRow(info.contractVersion),
    }),
  )
}
