import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField, limitField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { isEnsemble, zonedTime } from '../../rows/row-fields.ts'
import { numberOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { knownModel } from '../models/one-model.ts'
import { guidanceOf } from './guidance.ts'

const metrics = {
  model_correlation: numberOrNull.meta({ description: 'With the mean of the other models.' }),
  ensemble_correlation: numberOrNull,
  contribution: numberOrNull,
  fnc: numberOrNull,
}

const diversityScore = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .meta({ description: '1 - |model_correlation|; null without that metric in the contract.' })

export const diversity = defineRoute({
  method: 'get',
  path: '/reports/diversity',
  tag: 'Diversity',
  summary: 'How much each model differs from the others in its newest snapshot, the most different one first.',
  tier: 'public',
  extra: 'charts',
  query: z.object({ limit: limitField(50, 200) }),
  answer: z.array(
    z
      .object({
        model_id: z.string(),
        period_end: zonedTimeSchema,
        ...metrics,
        diversity_score: diversityScore,
        ic: numberOrNull,
      })
      .meta({ id: 'Diversity' }),
  ),
  example: { path: '/reports/diversity?limit=2' },
})

export const serveDiversity = serveRoute(diversity, ({ reads, clock }) => async ({ query }) => {
  const newest = await reads.newestSnapshots({ modelIds: [], from: 0, to: await clock.refresh() })
  return newest
    .filter(({ modelId }) => !isEnsemble(modelId))
    .map((snapshot) => {
      const { ic, ...rest } = metricsOf(snapshot)
      const score = diversityScoreOf(snapshot)
      return {
        model_id: snapshot.modelId,
        period_end: zonedTime(snapshot.periodEnd),
        ...rest,
        diversity_score: score,
        ic,
      }
    })
    .sort((one, other) => (other.diversity_score ?? -1) - (one.diversity_score ?? -1))
    .slice(0, query.limit)
})

export const modelDiversity = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/diversity',
  params: z.object({ model_id: idField }),
  tag: 'Diversity',
  summary: 'How much one model differs from the others, and what that means for its author.',
  tier: 'public',
  extra: 'charts',
  errors: [404],
  answer: z
    .object({
      model_id: z.string(),
      rank: z.number().int().nullable(),
      diversity_score: diversityScore,
      metrics: z.object({ ic: numberOrNull, ...metrics }),
      guidance: z.array(z.string()),
      snapshot_period_end: zonedTimeSchema,
    })
    .meta({ id: 'ModelDiversity' }),
  example: { path: '/reports/models/oracle/diversity' },
})

export const serveModelDiversity = serveRoute(modelDiversity, ({ reads, clock }) => async ({ params }) => {
  const { id } = await knownModel(reads, params.model_id)
  const [[snapshot], board] = await Promise.all([
    reads.newestSnapshots({ modelIds: [id], from: 0, to: await clock.refresh() }),
    reads.latestLeaderboard(),
  ])
  if (snapshot === undefined)
    throw new CrunchError('NOT_FOUND', `No snapshots found for model '${id}': none has closed yet.`)
  const values = metricsOf(snapshot)
  return {
    model_id: id,
    rank: board?.entries.find(({ modelId }) => modelId === id)?.rank ?? null,
    diversity_score: diversityScoreOf(snapshot),
    metrics: values,
    guidance: guidanceOf(values),
    snapshot_period_end: zonedTime(snapshot.periodEnd),
  }
})

function metricsOf({ metrics }: Snapshot) {
  const { ic = null, model_correlation = null, ensemble_correlation = null, contribution = null, fnc = null } = metrics
  return { ic, model_correlation, ensemble_correlation, contribution, fnc }
}

function diversityScoreOf({ metrics }: Snapshot): number | null {
  const { model_correlation = null } = metrics
  return model_correlation === null ? null : Math.max(0, 1 - Math.abs(model_correlation))
}
