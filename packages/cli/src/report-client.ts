import { CliError } from './cli-error.ts'

/** A row of the leaderboard as the API gives it: fixed fields, and one for each window and metric. */
export interface LeaderboardRow {
  readonly model_id: string
  readonly model_name: string | null
  readonly cruncher_name: string | null
  readonly rank: number | null
  readonly created_at: string
  readonly score_ranking?: { readonly key: string; readonly value: number | null; readonly direction: string }
  readonly score_metrics?: Readonly<Record<string, number | null>>
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
    readonly ranking: readonly {
      readonly model_id: string
      readonly model_name: string | null
      readonly rank: number | null
      readonly value: number | null
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
  readonly watermark_ts: string | null
  readonly status?: string
  readonly status_reason?: string | null
}

export interface ModelRow {
  readonly model_id: string
  readonly model_name: string | null
  readonly cruncher_name: string | null
}

const requestLimitMs = 5_000
const maxBodyBytes = 16 * 1024 * 1024

/** Reads the report API of a node. */
export class ReportClient {
  readonly #baseUrl: string

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** What `/healthz` says, also when that is bad news with a status such as 503. */
  async health(): Promise<Readonly<Record<string, unknown>>> {
    const { body } = await this.#request('/healthz')
    return typeof body === 'object' && body !== null ? { ...body } : { status: 'unreadable' }
  }

  leaderboard(): Promise<readonly LeaderboardRow[]> {
    return this.#rows('/reports/leaderboard')
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

  async #rows<Row>(path: string): Promise<readonly Row[]> {
    const { status, body } = await this.#request(path)
    if (status === 200 && Array.isArray(body)) return body as readonly Row[]
    const detail = typeof body === 'object' && body !== null && 'detail' in body ? `: ${String(body.detail)}` : ''
    throw new CliError({
      place: `${this.#baseUrl}${path}`,
      cause: `it answered ${status}${detail}`,
      fix: 'see the reason with: crunch logs report',
    })
  }

  async #request(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    try {
      const response = await fetch(`${this.#baseUrl}${path}`, {
        signal: AbortSignal.timeout(requestLimitMs),
      })
      return { status: response.status, body: JSON.parse(await readBody(response)) }
    } catch (error) {
      if (error instanceof CliError) throw error
      throw new CliError(
        {
          place: `${this.#baseUrl}${path}`,
          cause: `the report API does not answer (${reasonOf(error)})`,
          fix: 'see whether it runs with: crunch status, and start it with: crunch deploy',
        },
        { cause: error },
      )
    }
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBodyBytes) throw new Error(`the answer is longer than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return cause === '' ? error.message : cause
}
