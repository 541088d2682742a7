import type postgres from 'postgres'

// The rows of a deployment, for comparison and recomputation. Instants are Unix milliseconds. Times of writing, e.g. of scores
// and checkpoints, are omitted, because they depend on the cadence of the workers and not on the data.

export interface InputRow {
  readonly id: string
  readonly era: number
  readonly scheduleKey: string
  readonly subject: string
  readonly performedAt: number
  readonly resolvableAt: number
  readonly expiresAt: number
  readonly missedBefore: number
  readonly input: unknown
  readonly status: string
  readonly answeredAt: number | null
  readonly actuals: unknown
  readonly voidReason: string | null
}

export interface PredictionRow {
  readonly id: string
  readonly inputId: string
  readonly modelId: string
  readonly status: string
  readonly output: unknown
  readonly reason: string | null
  readonly blame: string | null
  readonly detail: string | null
  readonly performedAt: number
  readonly resolvableAt: number
}

export interface ScoreRow {
  readonly id: string
  readonly predictionId: string
  readonly kind: string
  readonly value: Readonly<Record<string, unknown>> | null
  readonly reason: string | null
  readonly signal: number | null
  readonly actual: number | null
  readonly contractVersion: number | null
}

export interface SnapshotRow {
  readonly id: string
  readonly era: number
  readonly modelId: string
  readonly periodStart: number
  readonly periodEnd: number
  readonly scoreCount: number
  readonly dueCount: number
  readonly answeredCount: number
  readonly roundCount: number
  readonly validCount: number
  readonly excusedCount: number
  readonly unasked: { readonly sum: number; readonly count: number }
  readonly missed: { readonly sum: number; readonly count: number }
  /** Number of its scores computed by each version of the contract's code. */
  readonly contractVersions: Readonly<Record<string, number>>
  readonly sums: Readonly<Record<string, { readonly sum: number; readonly count: number }>>
  readonly metrics: Readonly<Record<string, number | null>>
}

export interface LeaderboardRow {
  readonly id: string
  readonly era: number
  readonly asOf: number
  readonly periodStart: number
  readonly roundCount: number
  readonly worst: { readonly sum: number; readonly count: number }
  readonly missing: { readonly sum: number; readonly count: number }
  readonly firstPerformedAt: number
  readonly rankBy: string
  readonly direction: string
  readonly entries: readonly {
    readonly modelId: string
    readonly rank: number | null
    readonly unrankedReason: string | null
    readonly windows: Readonly<Record<string, number | null>>
    readonly metrics: Readonly<Record<string, number | null>>
    readonly scoreCount: number
    readonly validCount: number
    readonly roundCount: number
    readonly coverage: number | null
  }[]
}

export interface CheckpointRow {
  readonly id: string
  readonly era: number
  readonly periodStart: number
  readonly periodEnd: number
  readonly status: string
  readonly snapshotCount: number
  readonly contractVersions: Readonly<Record<string, number>>
  readonly entries: readonly {
    readonly modelId: string
    readonly rank: number | null
    readonly value: number | null
    readonly scoreCount: number
    readonly dueCount: number
    readonly answeredCount: number
    readonly validCount: number
    readonly roundCount: number
    readonly coverage: number | null
    readonly rewardFrac64: number
    readonly unpaidReason: string | null
  }[]
  readonly floor: number | null
  readonly emissionReason: string | null
}

/** Rounds performed within this span have no row of the model. */
export interface RetirementRow {
  readonly from: number
  readonly until: number | null
  readonly reason: string
}

export interface ModelRow {
  readonly id: string
  readonly name: string
  readonly cruncherId: string
  readonly registeredAt: number
  readonly retirements: readonly RetirementRow[]
}

export interface StoredRows {
  readonly models: readonly ModelRow[]
  readonly inputs: readonly InputRow[]
  readonly predictions: readonly PredictionRow[]
  readonly scores: readonly ScoreRow[]
  readonly snapshots: readonly SnapshotRow[]
  readonly leaderboards: readonly LeaderboardRow[]
  readonly checkpoints: readonly CheckpointRow[]
}

/** Reads every row in an order that depends only on content: by (resolvableAt, input, model) or (period, model). */
export async function readStoredRows(sql: postgres.Sql): Promise<StoredRows> {
  return {
    models: await sql<ModelRow[]>`
      select id, name, cruncher_id as "cruncherId", registered_at as "registeredAt",
        (select coalesce(json_agg(json_build_object(
            'from', (extract(epoch from from_at) * 1000)::int8,
            'until', (extract(epoch from until_at) * 1000)::int8, 'reason', reason) order by from_at), '[]'::json)
          from model_retirements where model_id = id) as retirements
      from models order by id`,
    inputs: await sql<InputRow[]>`
      select id, era, schedule_key as "scheduleKey", subject, performed_at as "performedAt",
        resolvable_at as "resolvableAt", expires_at as "expiresAt", missed_before as "missedBefore", input, status,
        answered_at as "answeredAt", actuals, void_reason as "voidReason"
      from inputs order by resolvable_at, id`,
    predictions: await sql<PredictionRow[]>`
      select 'PRE_' || p.model_id || '_' || p.input_id as id, p.input_id as "inputId", p.model_id as "modelId",
        case when p.status = 'PENDING' and i.status = 'RESOLVED' then 'SCORED' else p.status end as status,
        p.output, p.reason, p.blame, p.detail, p.performed_at as "performedAt", p.resolvable_at as "resolvableAt"
      from predictions p join inputs i on i.id = p.input_id order by p.resolvable_at, p.input_id, p.model_id`,
    scores: await sql<ScoreRow[]>`
      select 'SCR_PRE_' || s.model_id || '_' || s.input_id as id, 'PRE_' || s.model_id || '_' || s.input_id as "predictionId", s.kind, s.value, s.reason, s.signal, s.actual,
        s.contract_version as "contractVersion"
      from scores s join predictions p using (input_id, model_id) order by p.resolvable_at, p.input_id, p.model_id`,
    snapshots: await sql<SnapshotRow[]>`
      select id, era, model_id as "modelId", period_start as "periodStart", period_end as "periodEnd",
        score_count as "scoreCount", due_count as "dueCount", answered_count as "answeredCount", round_count as "roundCount",
        valid_count as "validCount", excused_count as "excusedCount", unasked, missed,
        contract_versions as "contractVersions", sums, metrics
      from snapshots order by period_end, model_id`,
    leaderboards: await sql<LeaderboardRow[]>`
      select id, era, as_of as "asOf", period_start as "periodStart", round_count as "roundCount", worst, missing,
        first_performed_at as "firstPerformedAt", rank_by as "rankBy", direction, entries
      from leaderboards order by as_of`,
    checkpoints: await sql<CheckpointRow[]>`
      select id, era, period_start as "periodStart", period_end as "periodEnd", status,
        snapshot_count as "snapshotCount", contract_versions as "contractVersions", entries, floor, emission_reason as "emissionReason"
      from checkpoints order by period_end`,
  }
}

export function isRetired({ retirements }: ModelRow, at: number): boolean {
  return retirements.some(({ from, until }) => from <= at && (until === null || at < until))
}
