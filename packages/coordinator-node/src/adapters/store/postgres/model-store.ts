import { CrunchError } from '../../../domain/errors.ts'
import type { Model } from '../../../domain/models/model.ts'
import { historyIdOf, type Reassignment } from '../../../domain/models/model-history.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ModelStore } from '../../../ports/store-models.ts'
import { compareText } from '../compare-text.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { jsonParameter, type Sql } from './session/connect.ts'
import { fence, type Generation, requireHolder } from './session/lease-row.ts'

/** A model with its retirements as [from, until, reason]. */
interface ModelRow extends Omit<Model, 'retirements'> {
  readonly spans: readonly (readonly [Instant, Instant | null, string])[]
}

interface ReassignmentRow extends Omit<Reassignment, 'historyId'> {
  readonly number: number
}

export function createModelStore(sql: Sql, generation: Generation): ModelStore {
  return {
    async registerModels(models, at) {
      // Of several with one id, the last one counts. Ordered by id, so that two workers cannot deadlock.
      const identities = [...new Map(models.map((model) => [model.id, model])).values()]
      const document = { models: identities.map((model) => ({ ...model, at: encodeInstant(at) })) }
      const [row] = await sql<{ isHolder: boolean }[]>`
        with ${fence(sql, generation())}, written as (
          insert into models (id, name, deployment_id, cruncher_id, cruncher_name, registered_at)
          select id, name, "deploymentId", "cruncherId", "cruncherName", at
          from json_to_recordset(${jsonParameter(sql, document)}->'models')
            as m(id text, name text, "deploymentId" text, "cruncherId" text, "cruncherName" text, at timestamptz)
          where exists (select from fence)
          order by id
          on conflict (id) do update set
            name = excluded.name, deployment_id = excluded.deployment_id, cruncher_name = excluded.cruncher_name
        )
        select exists (select from fence) as "isHolder"`
      requireHolder(row)
    },
    ...createRetirementVerbs(sql, generation),
    reassignModel: (modelId, cruncherId, at) => reassignModel(sql, modelId, cruncherId, at),
    async reassignments() {
      const rows = await sql<ReassignmentRow[]>`
        select model_id as "modelId", number, cruncher_id as "cruncherId", recorded_at as at
        from model_reassignments order by model_id, number`
      return rows.map(reassignmentOf)
    },
    async models() {
      const rows = await sql<ModelRow[]>`
        select id, name, deployment_id as "deploymentId", cruncher_id as "cruncherId",
          cruncher_name as "cruncherName", registered_at as "registeredAt",
          (select coalesce(json_agg(json_build_array((extract(epoch from from_at) * 1000)::int8,
              (extract(epoch from until_at) * 1000)::int8, reason) order by from_at), '[]')
            from model_retirements r where r.model_id = m.id) as spans
        from models m`
      return rows.map(modelOf).sort((left, right) => compareText(left.id, right.id))
    },
  }
}

function createRetirementVerbs(
  sql: Sql,
  generation: Generation,
): Pick<ModelStore, 'beginRetirements' | 'endRetirements'> {
  return {
    async beginRetirements(models, from) {
      const retiring = [...new Map(models.map((model) => [model.modelId, model])).values()]
      const document = { from: encodeInstant(from), models: retiring }
      // The foreign key refuses unregistered models. Ordered by id, as above.
      const [row] = await sql<{ isHolder: boolean }[]>`
        with ${fence(sql, generation())}, document as materialized (select ${jsonParameter(sql, document)} as body),
        written as (
          insert into model_retirements (model_id, from_at, reason)
          select m."modelId", greatest((body->>'from')::timestamptz,
              (select max(until_at) from model_retirements r where r.model_id = m."modelId")), m.reason
          from document, json_to_recordset(body->'models') as m("modelId" text, reason text)
          where exists (select from fence)
          order by m."modelId"
          on conflict (model_id) where until_at is null do nothing
        )
        select exists (select from fence) as "isHolder"`
      requireHolder(row)
    },
    async endRetirements(modelIds, until) {
      const document = { until: encodeInstant(until), ids: modelIds }
      const [row] = await sql<{ isHolder: boolean }[]>`
        with ${fence(sql, generation())}, document as materialized (select ${jsonParameter(sql, document)} as body),
        ending as materialized (
          select r.model_id, r.from_at, (body->>'until')::timestamptz as until
          from document, model_retirements r
          where r.until_at is null and r.model_id in (select json_array_elements_text(body->'ids'))
            and exists (select from fence)
          order by r.model_id for update of r
        ), empty as (
          delete from model_retirements r using ending e
          where r.model_id = e.model_id and r.from_at = e.from_at and e.until <= e.from_at
        ), ended as (
          update model_retirements r set until_at = e.until from ending e
          where r.model_id = e.model_id and r.from_at = e.from_at and e.until > e.from_at
        )
        select exists (select from fence) as "isHolder"`
      requireHolder(row)
    },
  }
}

async function reassignModel(sql: Sql, modelId: string, cruncherId: string, at: Instant): Promise<Reassignment | null> {
  const document = { modelId, cruncherId, at: encodeInstant(at) }
  const [row] = await sql<(ReassignmentRow & { isKnown: boolean })[]>`
    with document as materialized (select ${jsonParameter(sql, document)} as body),
    -- Concurrent commands wait for each other here.
    model as materialized (
      select m.id, m.cruncher_id from models m, document where m.id = body->>'modelId' for update of m
    ), made as (
      insert into model_reassignments (model_id, number, cruncher_id, recorded_at)
      select m.id, coalesce(newest.number, 1) + 1, body->>'cruncherId', (body->>'at')::timestamptz
      from document, model m left join lateral (
        select r.number, r.cruncher_id from model_reassignments r where r.model_id = m.id
        order by r.number desc limit 1
      ) newest on true
      where coalesce(newest.cruncher_id, m.cruncher_id) <> body->>'cruncherId'
      returning model_id as "modelId", number, cruncher_id as "cruncherId", recorded_at as at
    )
    select made.*, exists (select from model) as "isKnown" from (select) one left join made on true`
  if (row?.isKnown !== true) throw new CrunchError('NOT_FOUND', `there is no model "${modelId}" to reassign`)
  return row.modelId === null ? null : reassignmentOf(row)
}

function reassignmentOf({ modelId, number, cruncherId, at }: ReassignmentRow): Reassignment {
  return { modelId, historyId: historyIdOf(modelId, number), cruncherId, at }
}

function modelOf({ spans, ...model }: ModelRow): Model {
  return { ...model, retirements: spans.map(([from, until, reason]) => ({ from, until, reason })) }
}
