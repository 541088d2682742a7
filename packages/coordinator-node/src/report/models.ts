import type { Hono } from 'hono'
import { roleOf } from '../domain/models/model-role.ts'
import { jsonResponse } from './json-response.ts'
import { refuseUnknown } from './query-fields.ts'
import type { ReportContext } from './report-context.ts'
import { zonedTime } from './row-fields.ts'

/** Every model that this node has ever set up, including ensembles, so that every id in other responses has a name. */
export function addModelsRoute(app: Hono, { reads, contract }: ReportContext): void {
  app.get('/reports/models', async (context) => {
    refuseUnknown(context, [])
    const models = await reads.models()
    const rows = models.map((model) => {
      const retirement = model.retirements.at(-1)
      const isRetired = retirement?.until === null
      return {
        model_id: model.id,
        model_name: model.name,
        cruncher_id: model.cruncherId,
        cruncher_name: model.cruncherName,
        username: model.cruncherName,
        role: roleOf(model, contract.organizer),
        deployment_id: model.deploymentId,
        registered_at: zonedTime(model.registeredAt),
        retired_at: isRetired ? zonedTime(retirement.from) : null,
        retirement_reason: isRetired ? retirement.reason : null,
      }
    })
    return jsonResponse(context, rows)
  })
}
