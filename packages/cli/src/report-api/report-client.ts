import { type ReportClient as Client, createReportClient, ReportError } from '@crunch/coordinator-node/client'
import { CliError } from '../cli-error.ts'
import type { SimulationResult } from '../engine.ts'
import { fetchLimited, refusalOf } from './get-json.ts'

/** The era and code version of a node. Nodes of earlier versions do not report them. */
export interface InfoRow {
  readonly era?: { readonly number: number; readonly began_at: string }
  readonly contract_version?: { readonly version: number; readonly hash: string; readonly first_seen_at: string }
}

/** A row of the leaderboard in the format of the API: fixed fields, and one for each window and metric. */
export interface LeaderboardRow {
  readonly model_id: string
  readonly model_name: string | null
  readonly cruncher_name: string | null
  readonly rank: number | null
  readonly unranked_reason?: string | null
  readonly role?: string | null
  /** Number of scores in the ranking window, including imputed ones. */
  readonly score_count?: number
  /** `answered_count` of the `round_count` rounds in the ranking window have a valid score of the model. */
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
  /** The names of windows, then of metrics, in the contract's order. */
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
    /** The floor: only models with a better value are paid. */
    readonly floor?: number | null
    /** Why no model is paid; `null` if the emission is not empty. */
    readonly emission_reason?: string | null
    /** The truths and scores that the contract refused, and who acknowledged that. */
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

/** The state of one feed series. */
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
  /** The deployment that the node set up last. */
  readonly deployment_id: string
  /** Start and reason of its retirement; `null` while it takes part. */
  readonly retired_at?: string | null
  readonly retirement_reason?: string | null
}

/** The answers of a model in the last day, in the competition's time. */
export interface ModelActivityRow {
  readonly model_id: string
  readonly model_name: string
  readonly counts: Readonly<Record<'PENDING' | 'SCORED' | 'FAILED' | 'ABSENT', number>>
  readonly reasons: Readonly<Record<string, number>>
  /** Latency of valid answers in milliseconds. */
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

/** Long, because a day of thousands of models has millions of predictions. */
const activityLimitMs = 30_000

const texts = {
  who: 'the report API',
  fix: 'see whether it runs with: crunch status, and start it with: crunch deploy',
}

/** A client of a node's report API, which reports errors as the command line shows them. */
export class ReportClient {
  readonly #baseUrl: string
  readonly #key: () => string | undefined

  /** @param key a key of the node, read for each request; `undefined`: none is sent */
  constructor(baseUrl: string, key: () => string | undefined = () => undefined) {
    this.#baseUrl = baseUrl
    this.#key = key
  }

  /** The URL of the API. */
  get url(): string {
    return this.#baseUrl
  }

  /** The body of `/healthz`, also with an error status such as 503. */
  async health(): Promise<Readonly<Record<string, unknown>>> {
    try {
      return await this.#client().get('/healthz')
    } catch (error) {
      if (!(error instanceof ReportError)) throw this.#foreign('/healthz', error)
      return typeof error.body === 'object' && error.body !== null ? { ...error.body } : { status: 'unreadable' }
    }
  }

  info(): Promise<InfoRow> {
    return this.#ask('/info', (client) => client.get('/info'))
  }

  /** The newest leaderboard; with `until`, the newest one up to that time. */
  leaderboard(until?: string): Promise<readonly LeaderboardRow[]> {
    return this.#list('/reports/leaderboard', (client) => client.get('/reports/leaderboard', { query: { until } }))
  }

  checkpoints(): Promise<readonly CheckpointRow[]> {
    return this.#list('/reports/checkpoints', (client) => client.get('/reports/checkpoints', { query: { limit: 100 } }))
  }

  feeds(): Promise<readonly FeedRow[]> {
    return this.#list('/reports/feeds', (client) => client.get('/reports/feeds'))
  }

  models(): Promise<readonly ModelRow[]> {
    return this.#list('/reports/models', (client) => client.get('/reports/models'))
  }

  /** The recent answers of each model. */
  modelActivity(): Promise<readonly ModelActivityRow[]> {
    const path = '/reports/models/activity'
    return this.#list(path, (client) => client.get(path), activityLimitMs)
  }

  async #list<Rows extends readonly unknown[]>(
    path: string,
    ask: (client: Client) => Promise<Rows>,
    limitMs?: number,
  ): Promise<Rows> {
    const rows = await this.#ask(path, ask, limitMs)
    if (Array.isArray(rows)) return rows
    throw new CliError({
      place: `${this.#baseUrl}${path}`,
      cause: 'the server there is not the report API of a node: its answer is not a list',
      fix: 'set REPORT_API_PORT to the port of the node',
    })
  }

  async #ask<Answer>(path: string, ask: (client: Client) => Promise<Answer>, limitMs?: number): Promise<Answer> {
    try {
      return await ask(this.#client(limitMs))
    } catch (error) {
      if (!(error instanceof ReportError)) throw this.#foreign(path, error)
      throw new CliError({
        place: `${this.#baseUrl}${path}`,
        cause: refusalOf(error),
        fix: 'find the reason with: crunch logs report',
      })
    }
  }

  /** The error of an answer that is not JSON. */
  #foreign(path: string, error: unknown): unknown {
    if (!(error instanceof TypeError)) return error
    const cause = `${texts.who} does not answer (${error.message})`
    return new CliError({ place: `${this.#baseUrl}${path}`, cause, fix: texts.fix }, { cause: error })
  }

  #client(limitMs?: number): Client {
    const key = this.#key()
    return createReportClient(this.#baseUrl, {
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
      fetch: (url, init) => fetchLimited(String(url), texts, init, limitMs),
    })
  }
}
