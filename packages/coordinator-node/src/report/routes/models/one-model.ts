import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { Model } from '../../../domain/models/model.ts'
import { nearestName } from '../../../domain/nearest-name.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { modelRow } from './model-schema.ts'
import { modelRow as rowOf } from './models.ts'

export const oneModel = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}',
  params: z.object({ model_id: idField }),
  tag: 'Models',
  summary: 'One model.',
  tier: 'public',
  errors: [404],
  answer: modelRow,
  example: { path: '/reports/models/oracle' },
})

export const serveOneModel = serveRoute(oneModel, ({ reads, contract }) => async ({ params }) => {
  return rowOf(await knownModel(reads, params.model_id), contract)
})

/** Rejects with NOT_FOUND, which names what exists. */
export async function knownModel(reads: Pick<ReportReads, 'models'>, id: string): Promise<Model> {
  const models = await reads.models()
  const found = models.find((model) => model.id === id)
  if (found !== undefined) return found
  const ids = models.map((model) => model.id)
  const nearest = nearestName(id, ids)
  const some =
    ids.length === 0
      ? 'this node has set up none yet'
      : `its models are ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}`
  throw new CrunchError(
    'NOT_FOUND',
    `There is no model ${id}; ${nearest === undefined ? some : `did you mean ${nearest}?`}`,
  )
}
