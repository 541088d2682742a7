import { backOffMs } from '@crunch/local-processes'
import type { FailureReport, ModelStanding, ModelState } from '@crunch/model-protocol'
import type { OrchestratorLog } from '../log.ts'
import type { ModelEntry } from '../models-file/models-file.ts'
import { RunFailure } from '../run-failure.ts'
import type { SubmissionLanguage } from '../submission/submission.ts'
import type { ModelRun, ServingPlace } from './model-run.ts'
import type { ModelFailure, QuarantineMemory } from './quarantine-memory.ts'

/** When a failed model is restarted, and when it is quarantined. */
export interface RestartLimits {
  /** Wait before the first restart; it doubles with each failure in a row. */
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** Serving for this long resets the count of failures in a row. */
  readonly stableAfterMs: number
  /** This many failures in a row put the model in quarantine until its entry changes. */
  readonly maxQuickFailures: number
}

export const DEFAULT_RESTART_LIMITS: RestartLimits = {
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
  stableAfterMs: 60_000,
  maxQuickFailures: 5,
}

/** FAILED waits for a change of the entry; RESTARTING for the end of a back-off. */
export type ModelLifeState = 'STARTING' | 'RUNNING' | 'RESTARTING' | 'STOPPING' | 'STOPPED' | 'FAILED'

/** The state of a model for the operator. */
export interface ModelStatus {
  readonly id: string
  readonly modelName: string | null
  readonly cruncherId: string | null
  readonly cruncherName: string | null
  readonly submissionId: string
  /** The serving or starting run; null if there is none. */
  readonly deploymentId: string | null
  /** The submission of that run; a newer one may be starting while it serves. */
  readonly deployedSubmissionId: string | null
  /** The newest run since the orchestrator started, ended or not; its log is the relevant one. */
  readonly latestDeploymentId: string | null
  readonly desiredState: 'RUNNING' | 'STOPPED'
  readonly state: ModelLifeState
  readonly pid: number | null
  readonly port: number | null
  /** Restarts after failures since the orchestrator started. */
  readonly restarts: number
  /** Whether it stays stopped, after too many failures, until its entry changes. */
  readonly quarantined: boolean
  /** Null until its submission has been inspected. */
  readonly language: SubmissionLanguage | null
  /** The limits in force for its process and those that could not be enforced, as text; empty without a process. */
  readonly confinement: readonly string[]
  readonly lastFailure: ModelFailure | null
  /** The number of failure reports since the orchestrator started, and the newest; most concern ended runs. */
  readonly reports: { readonly count: number; readonly newest: FailureReport | null }
}

/** A serving run, as announced. */
export interface ServingRun extends ServingPlace {
  readonly run: ModelRun
  readonly sinceMs: number
}

/** The dependencies of a supervised model. */
export interface SupervisionPorts {
  readonly startRun: (entry: ModelEntry) => ModelRun
  readonly announce: (state: ModelState) => void
  /** Announces a changed standing. */
  readonly announceStanding: (standing: ModelStanding) => void
  readonly restart: RestartLimits
  readonly quarantine: QuarantineMemory
  readonly log: OrchestratorLog
}

const REPORT_TEXTS: Readonly<Record<FailureReport['failure_code'], string>> = {
  CONNECTION_FAILED: 'a coordinator could not connect to it',
  BAD_IMPLEMENTATION: 'it has no class that extends the base class, or lacks a method that is called',
  MULTIPLE_TIMEOUT: 'it answered too late too many times in a row',
  MULTIPLE_FAILED: 'it failed too many times in a row, or failed to be set up',
  LOW_PERFORMANCE: 'it performs below the limit of the competition',
  UNKNOWN: 'a coordinator gave it up',
}

/** A coordinator may take minutes to report a failed connection, and the probe a minute; that time does not count as serving. */
const NOTICE_MS = 5 * 60_000

/** Short, because the list of all models must fit into one frame. */
const MAX_ANNOUNCED_REASON = 300

const QUARANTINE_FIX =
  'correct the model, then change its submission_id, or set desired_state STOPPED and RUNNING again'

/**
 * Supervises one model: at most one run serves, and at most one candidate starts to replace it. The old run serves until
 * the candidate does; then the new one is announced before the old one is stopped.
 */
export class SupervisedModel {
  readonly #ports: SupervisionPorts
  #entry: ModelEntry
  /** The key of the code to run; null if the model should be stopped. */
  #wanted: string | null = null
  #serving: ServingRun | null = null
  #candidate: ModelRun | null = null
  /** The newest run; it may have ended. */
  #latest: ModelRun | null = null
  #retry: NodeJS.Timeout | null = null
  #quarantined = false
  #quickFailures = 0
  #restarts = 0
  #lastFailure: ModelFailure | null = null
  #reports: ModelStatus['reports'] = { count: 0, newest: null }
  readonly #ending = new Set<Promise<void>>()
  #settle: () => void = () => undefined
  /** Resolves when the model first serves, has failed, or should be stopped. */
  readonly settled: Promise<void> = new Promise((resolve) => {
    this.#settle = resolve
  })

  constructor(entry: ModelEntry, ports: SupervisionPorts) {
    this.#entry = entry
    this.#ports = ports
    this.#recallQuarantine()
    this.apply(entry)
  }

  /** Applies the current entry of the models file. */
  apply(entry: ModelEntry): void {
    const renamed = JSON.stringify(entry.infos) !== JSON.stringify(this.#entry.infos)
    this.#entry = entry
    const wanted = entry.desiredState === 'RUNNING' ? runKey(entry) : null
    if (wanted !== this.#wanted) this.#ports.quarantine.forget(entry.id)
    this.#want(wanted)
    const state = this.announced()
    if (renamed && state) this.#ports.announce(state)
  }

  /** Ends a quarantine or a back-off and tries the model again at once. */
  retry(): void {
    if (!this.#quarantined && !this.#retry) return
    this.#ports.quarantine.forget(this.#entry.id)
    this.#setQuarantined(false)
    this.#forgetFailures()
    this.#reconcile()
  }

  /** Stops the model; resolves once all its processes have ended. */
  async stop(): Promise<void> {
    this.#want(null)
    await Promise.all(this.#ending)
  }

  /** The model's entry in `init`; null unless it serves. */
  announced(): ModelState | null {
    return this.#serving && this.#stateOf(this.#serving, 'RUNNING')
  }

  /** Whether the model is listed or quarantined. */
  standing(): ModelStanding {
    const { id } = this.#entry
    if (!this.#quarantined) return { model_id: id, standing: 'LISTED', reason: null }
    const failure = this.#lastFailure
    const reason = failure === null ? null : `${failure.code}: ${failure.reason}`.slice(0, MAX_ANNOUNCED_REASON)
    return { model_id: id, standing: 'QUARANTINED', reason }
  }

  /** The serving run, if it was announced at `ip`. */
  servingAt(ip: string): ServingRun | undefined {
    return this.#serving !== null && this.#serving.address.ip === ip ? this.#serving : undefined
  }

  isServing(serving: ServingRun): boolean {
    return this.#serving === serving
  }

  noteReport(report: FailureReport): void {
    this.#reports = { count: this.#reports.count + 1, newest: report }
  }

  /** Tells coordinators that gave the run up that it still serves. */
  announceAgain(serving: ServingRun): void {
    this.#ports.announce(this.#stateOf(serving, 'RUNNING'))
  }

  /** Ends a run after a confirmed report of a coordinator. */
  giveUp(serving: ServingRun, report: FailureReport, why: string): void {
    const reported = report.failure_reason?.trim().slice(0, 2_000)
    const reason = reported ? serving.run.explain(reported) : REPORT_TEXTS[report.failure_code]
    this.#retireServing(`a coordinator reported ${report.failure_code}: ${reason}; ${why}`)
    this.#forgiveIfStable(serving.sinceMs + NOTICE_MS)
    const isPermanent = report.failure_code !== 'CONNECTION_FAILED'
    this.#onFailure(serving.run, new RunFailure(report.failure_code, reason), isPermanent)
  }

  status(): ModelStatus {
    const run = this.#serving?.run ?? this.#candidate
    const { infos } = this.#entry
    return {
      id: this.#entry.id,
      modelName: infos.model_name,
      cruncherId: infos.cruncher_id,
      cruncherName: infos.cruncher_name,
      submissionId: this.#entry.submissionId,
      deploymentId: run?.deploymentId ?? null,
      deployedSubmissionId: run?.entry.submissionId ?? null,
      latestDeploymentId: this.#latest?.deploymentId ?? null,
      desiredState: this.#entry.desiredState,
      state: this.#lifeState(),
      pid: run?.pid ?? null,
      port: run?.port ?? null,
      restarts: this.#restarts,
      quarantined: this.#quarantined,
      language: (run ?? this.#latest)?.language ?? null,
      confinement: run?.confinement ?? [],
      lastFailure: this.#lastFailure,
      reports: this.#reports,
    }
  }

  #lifeState(): ModelLifeState {
    if (this.#serving) return 'RUNNING'
    if (this.#candidate) return 'STARTING'
    if (this.#quarantined) return 'FAILED'
    if (this.#retry) return 'RESTARTING'
    return this.#ending.size > 0 ? 'STOPPING' : 'STOPPED'
  }

  #want(wanted: string | null): void {
    if (wanted !== this.#wanted) {
      this.#wanted = wanted
      this.#setQuarantined(false)
      this.#forgetFailures()
    }
    this.#reconcile()
  }

  #setQuarantined(quarantined: boolean): void {
    const hasChanged = this.#quarantined !== quarantined
    this.#quarantined = quarantined
    if (hasChanged) this.#ports.announceStanding(this.standing())
  }

  #forgetFailures(): void {
    this.#quickFailures = 0
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = null
  }

  /** A model that was quarantined before a restart of the orchestrator stays so while its code is the same. */
  #recallQuarantine(): void {
    const entry = this.#entry
    const failure = entry.desiredState === 'RUNNING' ? this.#ports.quarantine.recall(entry) : null
    if (failure === null) {
      this.#ports.quarantine.forget(entry.id)
      return
    }
    this.#settle()
    this.#wanted = runKey(entry)
    this.#quarantined = true
    this.#lastFailure = failure
    const { code, reason } = failure
    this.#ports.log.warn('model is still in quarantine', { modelId: entry.id, code, reason, fix: QUARANTINE_FIX })
  }

  #reconcile(): void {
    const candidate = this.#candidate
    if (candidate && runKey(candidate.entry) !== this.#wanted) {
      this.#candidate = null
      this.#end(candidate, 'stopped on request')
    }
    if (this.#wanted === null) {
      if (this.#serving) this.#retireServing('stopped on request')
      this.#settle()
      return
    }
    if (this.#candidate || this.#quarantined || this.#retry) return
    if (this.#serving && runKey(this.#serving.run.entry) === this.#wanted) return
    this.#launch()
  }

  #launch(): void {
    const run = this.#ports.startRun(this.#entry)
    this.#candidate = run
    this.#latest = run
    run.serving.then(
      (place) => this.#onServing(run, place),
      (failure: RunFailure) => this.#onStartFailed(run, failure),
    )
  }

  #onServing(run: ModelRun, { address, target }: ServingPlace): void {
    if (this.#candidate !== run) return
    const replaced = this.#serving
    this.#candidate = null
    this.#serving = { run, address, target, sinceMs: performance.now() }
    const { deploymentId, pid } = run
    this.#ports.log.info('model serves', { modelId: this.#entry.id, deploymentId, pid, ...address })
    this.#ports.announce(this.#stateOf(this.#serving, 'RUNNING'))
    if (replaced) {
      this.#ports.announce(this.#stateOf(replaced, 'STOPPED'))
      this.#end(replaced.run, `replaced by ${deploymentId}`)
    }
    void run.ended.then((failure) => this.#onEnded(run, failure))
    this.#settle()
  }

  #onStartFailed(run: ModelRun, failure: RunFailure): void {
    if (this.#candidate !== run) return
    this.#candidate = null
    this.#onFailure(run, failure, failure.code === 'BUILD_FAILED')
  }

  #onEnded(run: ModelRun, failure: RunFailure): void {
    const serving = this.#serving
    if (serving?.run !== run) return
    this.#serving = null
    this.#ports.announce(this.#stateOf(serving, 'STOPPED'))
    this.#forgiveIfStable(serving.sinceMs)
    this.#onFailure(run, failure, false)
  }

  #forgiveIfStable(servingSinceMs: number): void {
    if (performance.now() - servingSinceMs >= this.#ports.restart.stableAfterMs) this.#quickFailures = 0
  }

  /** Records the failure, and schedules a restart unless other code should run by now. */
  #onFailure(run: ModelRun, failure: RunFailure, isPermanent: boolean): void {
    const { deploymentId } = run
    const { submissionId } = run.entry
    const { code, message: reason } = failure
    this.#lastFailure = { code, reason, deploymentId, submissionId, at: new Date() }
    this.#ports.log.warn('model failed', { modelId: this.#entry.id, deploymentId, code, reason })
    if (runKey(run.entry) === this.#wanted) this.#scheduleRestart(isPermanent)
    this.#reconcile()
    this.#settle()
  }

  #scheduleRestart(isPermanent: boolean): void {
    const { initialDelayMs, maxDelayMs, maxQuickFailures } = this.#ports.restart
    const fields = { modelId: this.#entry.id, submissionId: this.#entry.submissionId }
    this.#quickFailures += 1
    if (isPermanent || this.#quickFailures >= maxQuickFailures) {
      this.#setQuarantined(true)
      if (this.#lastFailure && outlivesRestart(this.#lastFailure)) {
        this.#ports.quarantine.remember(this.#entry, this.#lastFailure)
      }
      this.#ports.log.error('model is in quarantine', { ...fields, failures: this.#quickFailures, fix: QUARANTINE_FIX })
      return
    }
    const delayMs = backOffMs(this.#quickFailures, { firstMs: initialDelayMs, longestMs: maxDelayMs })
    this.#ports.log.info('model will be restarted', { ...fields, failures: this.#quickFailures, delayMs })
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.#restarts += 1
      this.#reconcile()
    }, delayMs)
  }

  /** Announces STOPPED before the process ends, so that no coordinator calls a model that is being stopped. */
  #retireServing(reason: string): void {
    const serving = this.#serving
    if (serving === null) return
    this.#serving = null
    this.#ports.announce(this.#stateOf(serving, 'STOPPED'))
    this.#end(serving.run, reason)
  }

  #end(run: ModelRun, reason: string): void {
    const ending = run.stop(reason).then(() => {
      this.#ending.delete(ending)
    })
    this.#ending.add(ending)
  }

  #stateOf(serving: ServingRun, state: 'RUNNING' | 'STOPPED'): ModelState {
    return {
      deployment_id: serving.run.deploymentId,
      model_id: this.#entry.id,
      infos: this.#entry.infos,
      state,
      ip: serving.address.ip,
      port: serving.address.port,
    }
  }
}

/** Entries with the same key run the same code; other changes need no new run. */
function runKey(entry: ModelEntry): string {
  return JSON.stringify([entry.submissionId, entry.resourceId, entry.hardwareType])
}

/** Causes outside the submission (a package index, a port, the network) may be gone after a restart, so these are tried again. */
function outlivesRestart({ code }: ModelFailure): boolean {
  return code !== 'BUILD_FAILED' && code !== 'CONNECTION_FAILED'
}
