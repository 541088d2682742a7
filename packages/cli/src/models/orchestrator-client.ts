import { CliError } from '../cli-error.ts'
import type { NodeSettings } from '../node-settings.ts'
import { getJson, refusalOf } from '../report-api/get-json.ts'

/** A failure of one run of a model. */
export interface ModelFailure {
  readonly code: string
  readonly reason: string
  readonly deploymentId: string | null
  /** The submission that failed; `null` if the orchestrator does not report it. */
  readonly submissionId: string | null
  /** ISO 8601. */
  readonly at: string
}

/** A model as the orchestrator reports it. */
export interface OrchestratorModel {
  readonly id: string
  readonly name: string | null
  readonly cruncherName: string | null
  readonly language: string | null
  readonly desiredState: string | null
  /** `RUNNER_RUNNING`, `BUILDER_FAILED`, ... */
  readonly status: string
  readonly statusMessage: string | null
  readonly deploymentId: string | null
  /** The submission of that run; `null` without a run, or if the orchestrator does not report it. */
  readonly deployedSubmissionId: string | null
  readonly restarts: number
  /** The model failed too often, and stays stopped until its entry changes. */
  readonly quarantined: boolean
  readonly lastFailure: ModelFailure | null
  /** The limits in force, and those that cannot be enforced, as text. */
  readonly confinement: readonly string[]
}

/** A client of the orchestrator's HTTP API. */
export class OrchestratorClient {
  readonly url: string
  readonly #apiKey: string | undefined

  constructor(url: string, apiKey: string | undefined) {
    this.url = url
    this.#apiKey = apiKey
  }

  /**
   * The orchestrator's models; with `crunchId`, only those of that competition.
   * @throws CliError if the orchestrator does not answer or refuses, or if the answer is not a list of models.
   */
  async models(crunchId?: string): Promise<readonly OrchestratorModel[]> {
    const place = `${this.url}/models`
    const fix = 'see whether it runs with: crunch status, and start it with: crunch deploy'
    const headers: Record<string, string> = this.#apiKey === undefined ? {} : { 'x-api-key': this.#apiKey }
    const answer = await getJson(place, { who: 'the model orchestrator', fix }, { headers })
    if (answer.status === 401 || answer.status === 403) {
      const key = this.#apiKey === undefined ? 'set API_KEY to its key' : 'correct API_KEY, which it does not accept,'
      const where =
        'in .local.env or the environment; it is in the file .orchestrator-key beside the logs of the models'
      throw new CliError({ place, cause: refusalOf(answer), fix: `${key} ${where}` })
    }
    if (answer.status !== 200) {
      throw new CliError({ place, cause: refusalOf(answer), fix: 'find the reason with: crunch logs models' })
    }
    const isOurs = (row: unknown) => {
      const owner = isObject(row) ? textOf(row.crunch_id) : null
      return crunchId === undefined || owner === null || owner === crunchId
    }
    const models = Array.isArray(answer.body) ? answer.body.filter(isOurs).map(readModel) : [undefined]
    if (models.every((model) => model !== undefined)) return models
    const cause = 'the response is not a list of models: another program listens there'
    throw new CliError({ place, cause, fix: 'choose another port with MODEL_ORCHESTRATOR_HTTP_PORT=... in .local.env' })
  }
}

/** The URL of the orchestrator's API from this machine. */
export function orchestratorUrl(settings: Pick<NodeSettings, 'orchestratorHost' | 'orchestratorPort'>): string {
  const { orchestratorHost: host, orchestratorPort: port } = settings
  // 0.0.0.0 is a bind address, not a destination.
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

function readModel(value: unknown): OrchestratorModel | undefined {
  if (!isObject(value)) return undefined
  const { id, status } = value
  if (typeof id !== 'string' || typeof status !== 'string') return undefined
  return {
    id,
    status,
    name: textOf(value.model_name),
    cruncherName: textOf(value.cruncher_name),
    language: textOf(value.language),
    desiredState: textOf(value.desired_state),
    statusMessage: textOf(value.statusMessage),
    deploymentId: textOf(value.deployment_id),
    deployedSubmissionId: textOf(value.deployed_submission_id),
    restarts: typeof value.restarts === 'number' ? value.restarts : 0,
    quarantined: value.quarantined === true,
    lastFailure: readFailure(value.last_failure),
    confinement: Array.isArray(value.confinement) ? value.confinement.filter((part) => typeof part === 'string') : [],
  }
}

function readFailure(value: unknown): ModelFailure | null {
  if (!isObject(value)) return null
  const { code, reason, deployment_id, submission_id, at } = value
  return {
    code: textOf(code) ?? 'UNKNOWN',
    reason: textOf(reason) ?? 'no reason given',
    deploymentId: textOf(deployment_id),
    submissionId: textOf(submission_id),
    at: textOf(at) ?? '',
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
