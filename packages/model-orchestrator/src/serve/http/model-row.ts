import type { ModelStatus } from '../../run/supervised-model.ts'

/** A model as `GET /models` shows it; the first ten fields are those of the deployed orchestrator. */
export interface ModelRow {
  readonly id: string
  readonly model_name: string | null
  readonly deployment_id: string | null
  readonly desired_state: 'RUNNING' | 'STOPPED'
  readonly status: string
  readonly statusMessage: string | null
  readonly crunch_id: string
  readonly cruncher_id: string | null
  readonly cruncher_name: string | null
  readonly builder_log_uri: string | null
  readonly runner_log_uri: string | null
  readonly submission_id: string
  readonly deployed_submission_id: string | null
  readonly language: ModelStatus['language']
  readonly pid: number | null
  readonly restarts: number
  readonly last_failure: {
    readonly code: string
    readonly reason: string
    readonly deployment_id: string
    readonly submission_id: string
    readonly at: string
  } | null
  readonly quarantined: boolean
  /** Failure reports of coordinators; unconfirmed ones have no effect. */
  readonly failure_reports: { readonly count: number; readonly newest: string | null }
  readonly confinement: readonly string[]
}

/** `logsUrl` is the absolute URL of the logs; null if no logs are kept. */
export function toModelRow(model: ModelStatus, crunchId: string, logsUrl: string | null): ModelRow {
  const { lastFailure: failure, latestDeploymentId: run } = model
  const { newest } = model.reports
  const logUri = (kind: string) => (logsUrl === null || run === null ? null : `${logsUrl}/${kind}/${run}`)
  return {
    id: model.id,
    model_name: model.modelName,
    deployment_id: model.deploymentId ?? run,
    desired_state: model.desiredState,
    status: statusOf(model),
    statusMessage: statusMessageOf(model),
    crunch_id: crunchId,
    cruncher_id: model.cruncherId,
    cruncher_name: model.cruncherName,
    builder_log_uri: isBuilt(model) ? logUri('builder') : null,
    runner_log_uri: logUri('runner'),
    submission_id: model.submissionId,
    deployed_submission_id: model.deployedSubmissionId,
    language: model.language,
    pid: model.pid,
    restarts: model.restarts,
    last_failure: failure && {
      code: failure.code,
      reason: failure.reason,
      deployment_id: failure.deploymentId,
      submission_id: failure.submissionId,
      at: failure.at.toISOString(),
    },
    quarantined: model.quarantined,
    failure_reports: {
      count: model.reports.count,
      newest: newest === null ? null : `${newest.failure_code}: ${newest.failure_reason ?? 'no reason given'}`,
    },
    confinement: model.confinement,
  }
}

/** Numeric order for numeric ids, which is the order of creation. */
export function byModelId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id.localeCompare(b.id, 'en', { numeric: true })
}

/** The states of the deployed orchestrator. A model that waits for a restart counts as starting. */
function statusOf(model: ModelStatus): string {
  const isBuildFailure = model.lastFailure?.code === 'BUILD_FAILED'
  switch (model.state) {
    case 'STARTING':
      return isBuilt(model) && model.pid === null ? 'BUILDER_BUILDING' : 'RUNNER_INITIALIZING'
    case 'RESTARTING':
      return 'RUNNER_INITIALIZING'
    case 'FAILED':
      return isBuildFailure ? 'BUILDER_FAILED' : 'RUNNER_FAILED'
    case 'STOPPED':
      return model.latestDeploymentId === null ? 'CREATED' : 'RUNNER_STOPPED'
    default:
      return `RUNNER_${model.state}`
  }
}

function statusMessageOf({ state, lastFailure, restarts }: ModelStatus): string | null {
  if (lastFailure === null) return null
  if (state === 'FAILED') return lastFailure.reason
  if (state === 'RESTARTING') return `will be restarted (restart ${restarts + 1}): ${lastFailure.reason}`
  return null
}

/** Only these need a preparation before they start. */
function isBuilt({ language }: ModelStatus): boolean {
  return language === 'python' || language === 'notebook'
}
