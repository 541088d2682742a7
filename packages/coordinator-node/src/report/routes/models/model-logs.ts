import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { ownedModel } from './owned-model.ts'

const modelLog = z
  .object({
    model_id: z.string(),
    kind: z.enum(['runner', 'builder']),
    lines: z.array(z.string()).meta({ description: 'The newest hundred, oldest first.' }),
  })
  .meta({ id: 'ModelLog' })

export const modelLogs = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/logs',
  tag: 'Models',
  summary: 'The newest lines that one model printed, for its owner.',
  description: 'Needs the key of the owner or of an admin. `kind=builder`: of the preparation of its newest run.',
  tier: 'owner',
  params: z.object({ model_id: idField }),
  query: z.object({ kind: z.enum(['runner', 'builder']).default('runner') }),
  errors: [404],
  answer: modelLog,
  example: { path: '/reports/models/oracle/logs' },
})

export const serveModelLogs = serveRoute(modelLogs, ({ reads, modelLines }) => async ({ params, query, viewer }) => {
  const { id, deploymentId } = await ownedModel(reads, viewer, params.model_id)
  if (modelLines === undefined) {
    throw new CrunchError('ORCHESTRATOR_UNAVAILABLE', 'this node was started without access to the logs of models')
  }
  // An id that was given to another cruncher has runs of both; otherwise the newest run counts, even if it never served.
  const announcedId = id.replace(/~\d+$/, '')
  const isShared = (await reads.reassignments()).some(({ modelId }) => modelId === announcedId)
  const lines = await modelLines(isShared ? deploymentId : id, query.kind)
  if (lines === null) throw new CrunchError('NOT_FOUND', `Model ${id} has no log: it was never started here.`)
  return { model_id: id, kind: query.kind, lines: [...lines] }
})
