import { setTimeout as pause } from 'node:timers/promises'
import type { FailureCode, FailureReport, ModelState } from '@crunch/model-protocol'
import { CrunchError } from '../../../domain/errors.ts'
import type { ModelIdentity } from '../../../domain/models/model.ts'
import type { Blame } from '../../../domain/prediction.ts'
import { cutDetail } from '../model-answers.ts'
import {
  createDeployment,
  type Deployment,
  endDeployment,
  identityOf,
  isSameRun,
  renewDeployment,
} from './discovery/deployment.ts'
import { lossNoticeMs } from './fairness/absence-excuses.ts'
import { createFailureTally, type Verdict } from './fairness/failure-tally.ts'
import { ModelLane } from './model-lane.ts'
import type { ResolvedOptions } from './runner-options.ts'
import { type SetUpResult, setUpModel } from './set-up-model.ts'
import { createLargeAnswers } from './transport/large-answers.ts'
import type { ModelChannel } from './transport/model-channel.ts'

export interface ReadyModel {
  readonly identity: ModelIdentity
  readonly lane: ModelLane
}

export interface ClusterOptions extends ResolvedOptions {
  readonly absenceBlame: (modelId: string) => Blame
  readonly onModel: (model: ModelIdentity) => void
  readonly report: (deploymentId: string, report: FailureReport) => void
  /** Whether an orchestrator is connected, so that its models can be expected to run. */
  readonly isReachable: () => boolean
}

/** A verdict is valid until the next run of the model. */
interface OwnVerdict {
  readonly deploymentId: string
  readonly code: FailureCode
  readonly reason: string
  readonly atMs: number
  /** Whether the orchestrator has stopped that run since. Before that, a model could leave rounds by answering badly. */
  isStopped: boolean
}

/** A model being replaced has two: the old one serves until the new one is set up. */
interface Slot {
  ready: Deployment | undefined
  pending: Deployment | undefined
}

/**
 * The models that the orchestrator announced. Announcements are processed at once and in order; each model is set up
 * separately, so that a slow Setup delays no other model.
 */
export class ModelCluster {
  readonly #options: ClusterOptions
  readonly #slots = new Map<string, Slot>()
  readonly #setups = new Set<Promise<void>>()
  readonly #largeAnswers = createLargeAnswers()
  #ready: readonly ReadyModel[] = []
  /** Models that this node gave up, by id. */
  readonly #verdicts = new Map<string, OwnVerdict>()

  /** Whether any model was set up with the settings of this node, which proves them right. */
  #hasSetUp = false
  readonly #doubted = new Set<string>()

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** In order of id. */
  ready(): readonly ReadyModel[] {
    return this.#ready
  }

  /** Why a model no longer takes part, according to this node's own verdict and the end of its run; else `null`. */
  verdictOn(modelId: string): string | null {
    const verdict = this.#verdicts.get(modelId)
    return verdict?.isStopped === true ? `this node gave it up, and its run was stopped: ${verdict.reason}` : null
  }

  /** Applies state changes in order. */
  update(states: readonly ModelState[]): void {
    for (const state of states) {
      const verdict = this.#verdicts.get(state.model_id)
      if (state.state === 'RUNNING') {
        this.#verdicts.delete(state.model_id)
        this.#start(state)
      } else {
        if (verdict?.deploymentId === state.deployment_id && state.state === 'STOPPED') verdict.isStopped = true
        this.#stop(state)
      }
    }
  }

  /** Applies a complete list of running models. If the list is known to have gaps, no missing model is treated as stopped. */
  replace(states: readonly ModelState[], { isComplete }: { readonly isComplete: boolean }): void {
    const running = new Set(states.map(({ deployment_id: deploymentId }) => deploymentId))
    for (const { ready, pending } of isComplete ? [...this.#slots.values()] : []) {
      for (const deployment of [pending, ready]) {
        if (deployment !== undefined && !running.has(deployment.deploymentId)) this.#drop(deployment)
      }
    }
    for (const verdict of isComplete ? this.#verdicts.values() : []) {
      if (!running.has(verdict.deploymentId)) verdict.isStopped = true
    }
    // A model that is being replaced is listed twice; the last entry is the newest.
    this.update([...new Map(states.map((state) => [state.model_id, state])).values()])
  }

  /** The session with the orchestrator has ended: models that could not be reached just before may have ended with it. */
  lost(): void {
    for (const [modelId, { code, atMs }] of this.#verdicts) {
      if (code === 'CONNECTION_FAILED' && this.#options.nowMs() - atMs <= lossNoticeMs) this.#verdicts.delete(modelId)
    }
  }

  /** Resolves when no announced model is being set up any more. */
  async whenSettled(): Promise<void> {
    await Promise.all(this.#setups)
  }

  close(): void {
    for (const { ready, pending } of this.#slots.values()) {
      pending?.abort.abort()
      ready?.lane?.close()
    }
    this.#slots.clear()
    this.#ready = []
  }

  #start(state: ModelState): void {
    const slot = this.#slots.get(state.model_id) ?? { ready: undefined, pending: undefined }
    const known = [slot.pending, slot.ready].find((deployment) => deployment && isSameRun(deployment, state))
    if (known !== undefined) {
      this.#rename(known, state)
      if (known === slot.ready && slot.pending?.deploymentId === known.deploymentId) {
        // The run was about to move to another address and has returned to this one.
        slot.pending.abort.abort()
        slot.pending = undefined
      }
      return
    }
    const next = createDeployment(state, createFailureTally(this.#options))
    if (next === undefined) return
    slot.pending?.abort.abort()
    this.#slots.set(next.modelId, slot)
    this.#begin(next, slot)
  }

  #begin(next: Deployment, slot: Slot): void {
    slot.pending = next
    const setup = this.#setUp(next, slot).finally(() => this.#setups.delete(setup))
    this.#setups.add(setup)
  }

  /** A late message about an older deployment does not affect its successor. */
  #stop(state: ModelState): void {
    const slot = this.#slots.get(state.model_id)
    for (const deployment of [slot?.pending, slot?.ready]) {
      if (deployment?.deploymentId === state.deployment_id) this.#drop(deployment)
    }
  }

  #rename(deployment: Deployment, state: ModelState): void {
    const identity = identityOf(state)
    const hasChanged = JSON.stringify(identity) !== JSON.stringify(deployment.identity)
    deployment.identity = identity
    if (!hasChanged || deployment.lane === undefined) return
    this.#refresh()
    this.#options.onModel(identity)
  }

  async #setUp(deployment: Deployment, slot: Slot): Promise<void> {
    const startedAt = performance.now()
    const { log } = this.#options
    const { modelId, deploymentId } = deployment
    const result = await setUpModel(deployment, this.#options, deployment.abort.signal)
    switch (result.kind) {
      case 'aborted':
        return
      case 'doubtful':
        if (this.#hasSetUp) this.#giveUp(deployment, result)
        else this.#tryLater(deployment, slot, result)
        return
      case 'failed':
        this.#giveUp(deployment, result)
        return
      case 'ready':
        this.#hasSetUp = true
        this.#doubted.clear()
        slot.pending = undefined
        if (slot.ready !== undefined) endDeployment(slot.ready)
        slot.ready = deployment
        deployment.lane = this.#createLane(deployment, result.channel)
        this.#refresh()
        log.info('model is set up', { modelId, deploymentId, durationMs: Math.round(performance.now() - startedAt) })
        this.#options.onModel(deployment.identity)
    }
  }

  #createLane(deployment: Deployment, channel: ModelChannel): ModelLane {
    const { baseClassName, queueLimit, absenceBlame, answerLimits } = this.#options
    return new ModelLane({
      modelId: deployment.modelId,
      channel,
      baseClassName,
      queueLimit,
      tally: deployment.tally,
      largeAnswers: this.#largeAnswers,
      answerLimits,
      absenceBlame: () => absenceBlame(deployment.modelId),
      onVerdict: (verdict) => this.#giveUp(deployment, verdict),
      onReconnect: (reason) => this.#reconnect(deployment, reason),
    })
  }

  /** No model has been set up yet, so the settings may be wrong, in which case no model may be reported. */
  #tryLater(deployment: Deployment, slot: Slot, { reason, setting }: Extract<SetUpResult, { kind: 'doubtful' }>): void {
    const { modelId, deploymentId, abort } = deployment
    if (!this.#doubted.has(deploymentId)) {
      this.#doubted.add(deploymentId)
      const fix = `set ${setting} if all models fail like this; the model is retried, and reported once another one is set up`
      this.#options.log.error('a model cannot be set up, or the settings are wrong', {
        modelId,
        deploymentId,
        reason,
        fix,
      })
      this.#options.onFatal(new CrunchError('SETTINGS_INVALID', `model ${modelId}: ${reason}; set ${setting}`))
    }
    const { signal } = abort
    void pause(this.#options.doubtMs, undefined, { signal, ref: false }).then(
      () => {
        if (slot.pending === deployment) this.#begin(deployment, slot)
      },
      // It was stopped or replaced.
      () => {},
    )
  }

  /** Stops calling the model until it is set up again. A replacement that is already being set up continues instead. */
  #reconnect(deployment: Deployment, reason: string): void {
    const slot = this.#slots.get(deployment.modelId)
    if (slot?.ready !== deployment || slot.pending !== undefined) return
    const { modelId, deploymentId } = deployment
    this.#options.log.info('model is being reconnected', { modelId, deploymentId, reason })
    slot.ready = undefined
    endDeployment(deployment)
    this.#begin(renewDeployment(deployment), slot)
    this.#refresh()
  }

  #giveUp(deployment: Deployment, { code, reason }: Verdict): void {
    const { modelId, deploymentId, ip } = deployment
    if (code === 'CONNECTION_FAILED' && !this.#options.isReachable()) {
      // It may have ended together with its orchestrator. If it still runs, it will be announced and set up again.
      this.#options.log.info('model and its orchestrator are unreachable', { modelId, deploymentId, reason })
      this.#drop(deployment)
      return
    }
    this.#options.log.warn('model given up', { modelId, deploymentId, code, reason })
    const atMs = this.#options.nowMs()
    this.#verdicts.set(modelId, { deploymentId, code, reason: `${code}: ${reason}`, atMs, isStopped: false })
    this.#options.report(deploymentId, { model_id: modelId, failure_code: code, failure_reason: cutDetail(reason), ip })
    this.#drop(deployment)
  }

  #drop(deployment: Deployment): void {
    const { modelId, deploymentId } = deployment
    this.#options.log.info('model is no longer called', { modelId, deploymentId })
    endDeployment(deployment)
    const slot = this.#slots.get(modelId)
    if (slot === undefined) return
    if (slot.pending === deployment) slot.pending = undefined
    if (slot.ready === deployment) slot.ready = undefined
    if (slot.pending === undefined && slot.ready === undefined) this.#slots.delete(modelId)
    this.#refresh()
  }

  #refresh(): void {
    const ready: ReadyModel[] = []
    for (const { ready: deployment } of this.#slots.values()) {
      if (deployment?.lane !== undefined) ready.push({ identity: deployment.identity, lane: deployment.lane })
    }
    this.#ready = ready.sort((a, b) => (a.identity.id < b.identity.id ? -1 : 1))
  }
}
