import { z } from 'zod'
import type { Model } from '../../../domain/models/model.ts'
import { roleOf } from '../../../domain/models/model-role.ts'
import { cursorField, pageOf, refuseCursor } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField, pageLimitField } from '../../http/query-fields.ts'
import { type ReportRequest, serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { modelRow as rowSchema } from './model-schema.ts'

export const modelPageFields = { limit: pageLimitField(10_000), cursor: cursorField(z.tuple([idField])) }

/** A page of the models, which are in order of id. */
export function modelPage(
  models: readonly Model[],
  { limit = models.length, cursor }: z.output<z.ZodObject<typeof modelPageFields>>,
  context: ReportRequest,
): readonly Model[] {
  // No model is ever removed.
  const last = cursor === undefined ? -1 : models.findIndex(({ id }) => id === cursor[0])
  if (cursor !== undefined && last < 0) refuseCursor(cursor)
  const rest = models.slice(last + 1)
  return pageOf(rest, limit, { context, keyOf: ({ id }) => [id] })
}

export const models = defineRoute({
  method: 'get',
  path: '/reports/models',
  tag: 'Models',
  summary: 'Every model that this node has ever set up.',
  description: 'Ensembles included, so that every id in other answers has a name.',
  tier: 'public',
  extra: 'charts',
  query: z.object(modelPageFields),
  answer: z.array(rowSchema),
  example: { path: '/reports/models' },
})

export const serveModels = serveRoute(models, ({ reads, contract }) => async ({ query, context }) => {
  const all = await reads.models()
  return modelPage(all, query, context).map((model) => modelRow(model, contract))
})

export function modelRow(model: Model, contract: ReportContract): z.input<typeof rowSchema> {
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
}
