import { CliError } from '../cli-error.ts'
import type { SimulationResult } from '../engine.ts'
import { getJson, type JsonAnswer, refusalOf } from './get-json.ts'

/** Which rules and which code a node runs by. A node of an earlier version does not tell. */
export interface InfoRow {
  readonly era?: { readonly number: number; readonly began_at: string }
  readonly contract_version?: { readonly version: number; readonly hash: string; readonly first_seen_at: string }
}

/** A row of the leaderboard as the API gives it: fixed fields, and one for each window and metric. */
export interface LeaderboardRow {
  readonly model_id: string
  readonly model_name: string | null
  readonly cruncher_name: string | null
  readonly rank: number | null
  readonly unranked_reason?: string | null
  readonly role?: string | null
  /** Scores in the ranking window, those given to missing answers included. */
  readonly score_count?: number
  /** Rounds of the ranking window with a valid score of its own, of all that count. */
  readonly answered_count?: number | null
  readonly round_count?: number | null
  readonly coverage?: number | null
  readonly created_at: string
  readonly era?: number
  readonly score_ranking?: {
    readonly key: string
    readonly value: number | null
    readonly direction: string
    readonly newcomers?: string
    readonly min_coverage?: number
    /** The contract orders the models itself. */
    readonly own_order?: boolean
  }
  readonly score_metrics: Readonly<Record<string, number | null>>
  /** Its keys in the contract's order: windows, then metrics. */
  readonly score_columns: readonly string[]
}

/** A checkpoint with its payout. */
export interface CheckpointRow {
  readonly id: string
  readonly period_start: string
  readonly period_end: string
  readonly status: string
  readonly entries: readonly {
    readonly cruncher_rewards: readonly { readonly cruncher_index: number | null; readonly reward_pct: number }[]
  }[]
  readonly meta: {
    readonly era?: number
    /** What a value had to be better than to be paid. */
    readonly floor?: number | null
    /** Why no one is paid; `null` when someone is. */
    readonly emission_reason?: string | null
    /** What of its truths and scores the contract refused, and who accepted that. */
    readonly refusals?: SimulationResult['refusals']
    readonly acknowledged_by?: string | null
    readonly acknowledged_at?: string | null
    readonly ranking: readonly {
      readonly model_id: string
      readonly model_name: string | null
      readonly rank: number | null
      readonly value: number | null
      readonly prediction_count?: number
      readonly answered_count?: number
      readonly round_count?: number
      readonly coverage?: number | null
      readonly unpaid_reason?: string | null
      /** 1,000,000,000 is 100 %. */
      readonly reward_pct: number
    }[]
  }
}

/** How far ingestion of one scope has come. */
export interface FeedRow {
  readonly source: string
  readonly subject: string
  readonly kind: string
  readonly granularity: string
  readonly record_count: number
  readonly missing_count?: number | null
  readonly watermark_ts: string | null
  readonly status?: string
  readonly status_reason?: string | null
  readonly status_since?: string
}

export interface ModelRow {
  readonly model_id: string
  readonly model_name: string | null
  readonly cruncher_name: string | null
  /** The one that the node set up last. */
  readonly deployment_id: string
  /** Since when it has no rows, and why; `null` while it takes part. */
  readonly retired_at?: string | null
  readonly retirement_reason?: string | null
}

/** How a model has answered in the last day of the competition's time. */
export interface ModelActivityRow {
  readonly model_id: string
  readonly model_name: string
  readonly counts: Readonly<Record<'PENDING' | 'SCORED' | 'FAILED' | 'ABSENT', number>>
  readonly reasons: Readonly<Record<string, number>>
  /** Of valid answers, in milliseconds. */
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly max: number } | null
  readonly last_prediction_at: string | null
  readonly last_answer_at: string | null
  readonly last_problem: {
    readonly status: string
    readonly reason: string
    readonly blame: string | null
    readonly detail: string | null
    readonly at: string
  } | null
}

/** A day of thousands of models is millions of predictions. */
const activityLimitMs = 30_000

/** Reads the report API of a node. */
export class ReportClient {
  readonly #baseUrl: string

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** Where it asks. */
  get url(): string {
    return this.#baseUrl
  }

  /** What `/healthz` says, also when that is bad news with a status such as 503. */
  async health(): Promise<Readonly<Record<string, unknown>>> {
    const { body } = await this.#request('/healthz')
    return typeof body === 'object' && body !== null ? { ...body } : { status: 'unreadable' }
  }

  async info(): Promise<InfoRow> {
    const answer = await this.#request('/info')
    if (answer.status === 200 && typeof answer.body === 'object' && answer.body !== null) return answer.body
    throw this.#refused('/info', answer)
  }

  /** The newest; with `until` the newest of no later than that time. */
  leaderboard(until?: string): Promise<readonly LeaderboardRow[]> {
    return this.#rows(`/reports/leaderboard${until === undefined ? '' : `?until=${encodeURIComponent(until)}`}`)
  }

  checkpoints(): Promise<readonly CheckpointRow[]> {
    return this.#rows('/reports/checkpoints?limit=100')
  }

  feeds(): Promise<readonly FeedRow[]> {
    return this.#rows('/reports/feeds')
  }

  models(): Promise<readonly ModelRow[]> {
    return this.#rows('/reports/models')
  }

  /** How each model has answered lately. */
  modelActivity(): Promise<readonly ModelActivityRow[]> {
    return this.#rows('/reports/models/activity', activityLimitMs)
  }

  async #rows<Row>(path: string, limitMs?: number): Promise<readonly Row[]> {
    const answer = await this.#request(path, limitMs)
    if (answer.status === 200 && Array.isArray(answer.body)) return answer.body as readonly Row[]
    throw this.#refused(path, answer)
  }

  #refused(path: string, answer: JsonAnswer): CliError {
    return new CliError({
      place: `${this.#baseUrl}${path}`,
      cause: refusalOf(answer),
      fix: 'find the reason with: crunch logs report',
    })
  }

  #request(path: string, limitMs?: number): Promise<JsonAnswer> {
    const fix = 'see whether it runs with: crunch status, and start it with: crunch deploy'
    return getJson(`${this.#baseUrl}${path}`, { who: 'the report API', fix }, limitMs === undefined ? {} : { limitMs })
  }
}
