import { encodeCall, MAX_MESSAGE_BYTES, type ModelState, type ServerMessage } from '@crunch/model-protocol'
import { CrunchError } from '../../../domain/errors.ts'
import type { ModelIdentity } from '../../../domain/models/model.ts'
import type { AbsenceExcuse, Judgement, ModelAnswers, ModelCall, ModelRunner } from '../../../ports/model-runner.ts'
import { startExpiry } from '../dispatch-expiry.ts'
import { connectDiscovery, type DiscoveryClient } from './discovery/discovery-client.ts'
import { createStandings } from './discovery/standings.ts'
import { type AbsenceExcuses, createAbsenceExcuses } from './fairness/absence-excuses.ts'
import { createLongAbsence } from './fairness/long-absence.ts'
import { ModelCluster } from './model-cluster.ts'
import type { EncodedRequest } from './model-lane.ts'
import { type ModelRunnerOptions, type ResolvedOptions, resolveOptions } from './runner-options.ts'
import { type AnswerBudget, createAnswerBudget } from './transport/answer-budget.ts'
import { createCallTurns } from './transport/call-turns.ts'
import { frameMessage } from './transport/unary-call.ts'
import { startYoungCollections } from './transport/young-garbage.ts'

export interface GrpcModelRunner extends ModelRunner {
  /**
   * Resolves when the orchestrator has listed its models and each of them is set up or has failed, and in any case
   * after `settleTimeoutMs`: then `reachable()` and `models()` report the state.
   */
  settled(): Promise<void>
}

/**
 * Subscribes to a model orchestrator and calls the models that it announces. Resolves at once and keeps trying to connect
 * to an orchestrator that is not up yet. Rejects with `SETTINGS_INVALID` when an option is invalid.
 */
export async function connectModelRunner(options: ModelRunnerOptions): Promise<GrpcModelRunner> {
  return new ConnectedModelRunner(resolveOptions(options))
}

class ConnectedModelRunner implements GrpcModelRunner {
  readonly #options: ResolvedOptions
  readonly #cluster: ModelCluster
  readonly #standings = createStandings()
  readonly #absence = createLongAbsence()
  readonly #excuses: AbsenceExcuses
  readonly #answerBudget: AnswerBudget
  readonly #turns = createCallTurns(startYoungCollections())
  readonly #discovery: DiscoveryClient
  readonly #listeners = new Set<(model: ModelIdentity) => void>()
  readonly #settled: Promise<void>
  #settle: () => void = () => {}

  constructor(options: ResolvedOptions) {
    this.#options = options
    this.#excuses = createAbsenceExcuses(options.nowMs)
    this.#settled = this.#startSettling(options.settleTimeoutMs)
    this.#cluster = new ModelCluster({
      ...options,
      absenceBlame: (modelId) => (this.excuseOf(modelId) === null ? 'model' : 'coordinator'),
      onModel: (model) => this.#notify(model),
      isReachable: () => this.#discovery.reachable(),
      report: (deploymentId, report) => {
        if (report.failure_code === 'CONNECTION_FAILED') this.#excuses.unreached(report.model_id)
        else this.#excuses.failed(report.model_id)
        this.#discovery.report(deploymentId, report)
      },
    })
    this.#answerBudget = createAnswerBudget({
      maxBytes: options.maxHeldBytes,
      modelCount: () => this.#cluster.ready().length,
    })
    this.#discovery = connectDiscovery({
      ...options,
      onMessage: (message) => this.#receive(message),
      onLost: () => {
        this.#excuses.lost()
        this.#cluster.lost()
      },
    })
  }

  models(): readonly ModelIdentity[] {
    return this.#cluster.ready().map(({ identity }) => identity)
  }

  reachable(): boolean {
    return this.#discovery.reachable()
  }

  excuseOf(modelId: string): AbsenceExcuse | null {
    return this.#discovery.reachable() ? this.#excuses.excuseOf(modelId) : unreachable
  }

  settled(): Promise<void> {
    return this.#settled
  }

  retirementOf(modelId: string): string | null {
    return (
      this.#standings.retirementOf(modelId) ?? this.#cluster.verdictOn(modelId) ?? this.#absence.retirementOf(modelId)
    )
  }

  async dispatch(
    calls: readonly ModelCall[],
    timeoutMs: number,
    except?: ReadonlySet<string>,
  ): Promise<readonly ModelAnswers[]> {
    const expiry = startExpiry(timeoutMs, this.#options.stalls)
    const requests = calls.map(encode)
    const ready = this.#cluster.ready()
    const models = except === undefined ? ready : ready.filter(({ identity }) => !except.has(identity.id))
    const room = this.#answerBudget.open()
    const turns = this.#turns.open(timeoutMs)
    try {
      const answers = models.map(async ({ identity, lane }) => ({
        modelId: identity.id,
        answers: await lane.run({ requests, expiry, room, turns }),
      }))
      turns.close()
      return await Promise.all(answers)
    } finally {
      expiry.clear()
      room.release()
    }
  }

  onModel(listener: (model: ModelIdentity) => void): () => void {
    for (const model of this.models()) listener(model)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  judge(judgements: readonly Judgement[]): void {
    const lanes = new Map(this.#cluster.ready().map(({ identity, lane }) => [identity.id, lane]))
    for (const { modelId, method, problem } of judgements) lanes.get(modelId)?.judge(method, problem)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#options.stalls.stop()
    // From here on this node causes the models' absence.
    const closed = this.#discovery.close()
    this.#cluster.close()
    this.#settle()
    await closed
  }

  #startSettling(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#settle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #notify(model: ModelIdentity): void {
    this.#excuses.serving(model.id)
    this.#absence.serving(model.id)
    for (const listener of this.#listeners) listener(model)
  }

  #receive(message: ServerMessage): void {
    const { log, onFatal, crunchId } = this.#options
    switch (message.event) {
      case 'error': {
        const text = `the model orchestrator refuses CRUNCH_ID "${crunchId}": ${message.error}`
        log.error(text)
        onFatal(new CrunchError('SETTINGS_INVALID', text))
        return
      }
      case 'unknown':
        log.warn('discovery message ignored', { problem: `unknown event "${message.name}"` })
        return
      case 'init':
      case 'update':
        this.#takeStates(message)
    }
  }

  #takeStates({ event, data, rejected, standings }: Extract<ServerMessage, { event: 'init' | 'update' }>): void {
    for (const { index, problem } of rejected) {
      this.#options.log.warn('announced model ignored', { event, index, problem })
    }
    this.#standings.take(event, standings)
    if (event === 'init') {
      this.#excuses.begin()
      this.#absence.begin()
    }
    const states = event === 'init' ? withoutEndedRuns(data) : data
    for (const { state, model_id: modelId, deployment_id: deploymentId } of states) {
      const run = { modelId, deploymentId }
      if (state === 'RUNNING') this.#excuses.running(run)
      else if (state === 'RECOVERING') this.#excuses.recovering(run)
      else this.#excuses.stopped(run)
    }
    if (event === 'update') {
      this.#cluster.update(states)
      return
    }
    // A malformed entry may concern any model.
    this.#cluster.replace(states, { isComplete: rejected.length === 0 })
    void this.#cluster.whenSettled().then(this.#settle)
    for (const { identity } of this.#cluster.ready()) this.#excuses.serving(identity.id)
  }
}

const unreachable: AbsenceExcuse = {
  reason: 'orchestrator_unreachable',
  detail: 'the coordinator had no connection to the model orchestrator',
}

/** The entry that counts when a list names a model several times: the running one; the others are runs that have ended. */
function withoutEndedRuns(states: readonly ModelState[]): readonly ModelState[] {
  const runs = states.filter(({ state }) => state === 'RUNNING')
  const running = new Set(runs.map(({ model_id: modelId }) => modelId))
  return states.filter(({ state, model_id: modelId }) => state === 'RUNNING' || !running.has(modelId))
}

/** Arguments that cannot be sent are the caller's mistake. */
function encode(call: ModelCall): EncodedRequest {
  const bytes = encodeCall(call.method, call.arguments)
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new RangeError(
      `the arguments of ${call.method} have ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} can be sent: make the input smaller`,
    )
  }
  return { method: call.method, frame: frameMessage(bytes) }
}
