import type { Schedule } from '../../../domain/round.ts'
import type { ScheduleStore } from '../../../ports/store-rounds.ts'
import { uniqueSchedules } from '../unique-schedules.ts'
import { type ScopeRow, scopeOf } from './schema/rows.ts'
import { jsonParameter, type Sql } from './session/connect.ts'
import { fence, type Generation, requireHolder } from './session/lease-row.ts'

interface ScheduleRow extends ScopeRow, Omit<Schedule, 'scope'> {}

export function createScheduleStore(sql: Sql, generation: Generation): ScheduleStore {
  return {
    async putSchedules(schedules) {
      const document = { schedules: uniqueSchedules(schedules).map(scheduleDocument) }
      // Ordered by key, so that concurrently starting workers cannot deadlock.
      const [row] = await sql<{ isHolder: boolean }[]>`
        with ${fence(sql, generation())}, wanted as materialized (
          select * from json_to_recordset(${jsonParameter(sql, document)}->'schedules') as s(
            key text, source text, subject text, kind text, granularity text,
            every_ms int8, horizon_ms int8, step_ms int8, trigger text, position int)
          where exists (select from fence)
        ), left_out as (
          update scheduled_prediction_configs set active = false
          where active and key not in (select key from wanted) and exists (select from fence)
        ), written as (
          insert into scheduled_prediction_configs
            (key, source, subject, kind, granularity, every_ms, horizon_ms, step_ms, trigger, active, position)
          select key, source, subject, kind, granularity, every_ms, horizon_ms, step_ms, trigger, true, position
          from wanted order by key
          on conflict (key) do update set
            source = excluded.source, subject = excluded.subject, kind = excluded.kind,
            granularity = excluded.granularity, every_ms = excluded.every_ms, horizon_ms = excluded.horizon_ms,
            step_ms = excluded.step_ms, trigger = excluded.trigger, active = true, position = excluded.position
        )
        select exists (select from fence) as "isHolder"`
      requireHolder(row)
    },
    async schedules() {
      const rows = await sql<ScheduleRow[]>`
        select key, source, subject, kind, granularity, every_ms as "everyMs", horizon_ms as "horizonMs",
          step_ms as "stepMs", trigger as "on"
        from scheduled_prediction_configs where active order by position`
      return rows.map((row) => {
        const { key, everyMs, horizonMs, stepMs, on } = row
        return { key, scope: scopeOf(row), everyMs, horizonMs, stepMs, on }
      })
    },
  }
}

function scheduleDocument({ key, scope, everyMs, horizonMs, stepMs, on }: Schedule, position: number) {
  const lengths = { every_ms: everyMs, horizon_ms: horizonMs, step_ms: stepMs }
  return { key, ...scopeOf(scope), ...lengths, trigger: on, position }
}
