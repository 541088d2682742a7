import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { DEFAULT_DISCOVERY_PORT } from '@crunch/model-protocol'
import { modelRunnerCommand } from '@crunch/model-runner'
import { type ConfinementSettings, createConfinement, listenHost } from './confine/confinement.ts'
import { createFreePorts } from './confine/free-ports.ts'
import { openLimitGroups } from './limit/limit-groups.ts'
import { checkModelLimits, type ModelLimits } from './limit/model-limits.ts'
import { startUsageWatch } from './limit/watch-usage.ts'
import type { OrchestratorLog } from './log.ts'
import { DEFAULT_LOG_LIMITS, type LogLimits } from './logs/run-log.ts'
import { createDeploymentIds } from './models-file/deployment-ids.ts'
import { type IdTraces, noteIds } from './models-file/model-ids.ts'
import type { ModelsFile } from './models-file/models-file.ts'
import { readModelsFile, watchModelsFile } from './models-file/watch-models-file.ts'
import { createPreparation } from './prepare/prepare-submission.ts'
import type { RunnerCommand } from './prepare/prepared-submission.ts'
import type { PythonSettings } from './prepare/python/python-environments.ts'
import { createWorkshop } from './prepare/workshop.ts'
import { startProcessGuard } from './process/process-guard.ts'
import { createStartQueue } from './process/start-queue.ts'
import { createReportJudge, type ReportJudge } from './run/judge-reports.ts'
import { ModelRun, type RunResources } from './run/model-run.ts'
import { DEFAULT_PROBE_LIMITS, type ProbeLimits } from './run/probe-model.ts'
import { openQuarantineMemory } from './run/quarantine-memory.ts'
import {
  DEFAULT_RESTART_LIMITS,
  type ModelStatus,
  type RestartLimits,
  SupervisedModel,
  type SupervisionPorts,
} from './run/supervised-model.ts'
import {
  DEFAULT_DISCOVERY_LIMITS,
  type DiscoveryLimits,
  startDiscoveryServer,
} from './serve/discovery/discovery-server.ts'
import { createUpgradeGate } from './serve/http/access-gate.ts'
import { type ModelsApi, type ModelsApiAddress, startModelsApi } from './serve/http/start-models-api.ts'
import { isLoopback } from './serve/listen-on.ts'

/** A start that takes longer no longer holds up the others. */
const MAX_START_TURN_MS = 5_000

/** What to run, where, and within which limits. Paths may be relative to the working directory. */
export interface OrchestratorSettings {
  readonly crunchId: string
  readonly modelsFile: string
  /** Holds one folder a submission, named by its id. */
  readonly submissionsDirectory: string
  /** Logs of the models; absent: their output is dropped. */
  readonly logsDirectory?: string
  readonly baseClassName: string
  readonly log: OrchestratorLog
  /** Where coordinators connect; 127.0.0.1 unless given. */
  readonly host?: string
  /** 0 takes a free one; 9091 unless given. */
  readonly port?: number
  /** From the start of a process until it serves; 30 s unless given. */
  readonly startTimeoutMs?: number
  /** From SIGTERM to SIGKILL; 2 s unless given. */
  readonly stopTimeoutMs?: number
  /**
   * Opens the HTTP API, and marks the coordinator in charge. Without one, a secret key is generated: no client can use
   * the API, and only confirmed failure reports count.
   */
  readonly apiKey?: string
  /** How a model is looked at that a coordinator reported. */
  readonly probe?: Partial<ProbeLimits>
  /** The HTTP API; absent: there is none. */
  readonly http?: ModelsApiAddress
  /** How often the models file is read; 1 s unless given. */
  readonly pollMs?: number
  /** Processes that start at once; twice the cores unless given. */
  readonly maxStartsAtOnce?: number
  readonly restart?: Partial<RestartLimits>
  /** Where quarantines outlive a restart of the orchestrator; absent: they do not. */
  readonly quarantineFile?: string
  readonly logLimits?: Partial<LogLimits>
  /** What one model may use. */
  readonly modelLimits?: Partial<ModelLimits>
  /** What models are kept from. */
  readonly confinement?: ConfinementSettings
  readonly discovery?: Partial<DiscoveryLimits>
  /** The program that hosts a submission in JavaScript or TypeScript; `@crunch/model-runner` unless given. */
  readonly runnerCommand?: RunnerCommand
  readonly python?: PythonSettings
  /** What models find in their environment; names that the runner needs keep their own values. */
  readonly modelEnvironment?: Readonly<Record<string, string>>
}

/** A running orchestrator. */
export interface Orchestrator {
  /** Where the discovery socket listens. */
  readonly port: number
  /** Where the HTTP API listens; null without one. */
  readonly httpPort: number | null
  /** The models of the file, in its order. */
  models(): readonly ModelStatus[]
  /** Ends the quarantine or the back-off of a model; false when there is no such model. */
  retry(modelId: string): boolean
  /** Resolves when every model of the first reading serves, has failed once or shall not run; at the latest after the time all starts may take. */
  settled(): Promise<void>
  /** Stops every model, then the socket. */
  close(): Promise<void>
}

/** A model that hangs at the start keeps coordinators no longer than this from the others. */
const SNAPSHOT_WAIT_MS = 10_000

/**
 * Runs the submissions that the models file wants and announces them. Throws an `OrchestratorError`:
 * `ADDRESS_UNAVAILABLE` when a port is taken, `SETTINGS_INVALID` for a limit under which no model can live, `MODELS_FILE_INVALID` when the first reading fails. A file that
 * breaks later changes nothing until it is valid again.
 */
export async function startOrchestrator(settings: OrchestratorSettings): Promise<Orchestrator> {
  const { crunchId, log } = settings
  const limits = checkModelLimits(settings.modelLimits)
  const modelsFile = resolve(settings.modelsFile)
  const first = await readModelsFile(modelsFile, crunchId)
  const resources = await createRunResources(settings, limits)
  const models = new Map<string, SupervisedModel>()
  const judge = createReportJudge({
    baseClassName: settings.baseClassName,
    limits: { ...DEFAULT_PROBE_LIMITS, ...settings.probe },
    log,
  })
  const { discovery, http, tellReady } = await listen(settings, models, judge).catch((error: unknown) => {
    resources.guard.close()
    resources.usage.close()
    throw error
  })
  const deploymentIdOf = createDeploymentIds()
  const ports: SupervisionPorts = {
    startRun: (entry) => new ModelRun(entry, deploymentIdOf(entry.id), resources),
    announce: (state) => discovery.broadcast(crunchId, [state], []),
    announceStanding: (standing) => discovery.broadcast(crunchId, [], [standing]),
    restart: { ...DEFAULT_RESTART_LIMITS, ...settings.restart },
    quarantine: openQuarantineMemory({
      path: settings.quarantineFile,
      submissionsDirectory: resources.submissionsDirectory,
      log,
    }),
    log,
  }
  const removed = new Set<Promise<void>>()
  const apply = createApply({ models, removed, ports, crunchId, traces: idTraces(settings), log })
  apply(first)
  const starts = [...models.values()]
  void settleWithin(starts, SNAPSHOT_WAIT_MS, 0).then(tellReady)
  const watch = watchModelsFile({ path: modelsFile, crunchId, pollMs: settings.pollMs ?? 1_000, log, apply })
  const addresses = { port: discovery.port, httpPort: http?.port ?? null }
  warnOfUnreachableModels(settings)
  log.info('orchestrator listens', { crunchId, ...addresses, models: models.size, modelsFile })

  async function closeAll(): Promise<void> {
    await http?.close()
    await watch.close()
    await judge.close()
    // Before the models: a STOPPED message would suggest to coordinators that the models ended by themselves, not with
    // us.
    await discovery.close()
    await Promise.all([...[...models.values()].map((model) => model.stop()), ...removed])
    await resources.preparation.environments.close()
    resources.guard.close()
    resources.usage.close()
  }
  let closing: Promise<void> | null = null
  return {
    port: discovery.port,
    httpPort: http?.port ?? null,
    models: () => [...models.values()].map((model) => model.status()),
    retry(modelId) {
      models.get(modelId)?.retry()
      return models.has(modelId)
    },
    settled: () => settleWithin(starts, resources.startTimeoutMs + resources.stopTimeoutMs, MAX_START_TURN_MS),
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}

function warnOfUnreachableModels({ host = '127.0.0.1', confinement, log }: OrchestratorSettings): void {
  if (isLoopback(host) || confinement?.advertiseHost !== undefined) return
  const fix = 'set --advertise-host, and --model-network host, if coordinators run on other machines'
  log.warn('coordinators on other machines can connect, but cannot reach the models', { host, fix })
}

/** Opens the discovery socket and the HTTP API, or neither. */
async function listen(
  settings: OrchestratorSettings,
  models: ReadonlyMap<string, SupervisedModel>,
  judge: ReportJudge,
) {
  const { crunchId, log, host = '127.0.0.1', apiKey = randomBytes(32).toString('hex') } = settings
  let tellReady = () => {}
  const snapshotReady = new Promise<void>((done) => {
    tellReady = done
  })
  const discovery = await startDiscoveryServer({
    host,
    gate: createUpgradeGate(host, apiKey),
    port: settings.port ?? DEFAULT_DISCOVERY_PORT,
    limits: { ...DEFAULT_DISCOVERY_LIMITS, ...settings.discovery },
    log,
    snapshot: (id) => (id === crunchId ? [...models.values()].flatMap((model) => model.announced() ?? []) : []),
    snapshotReady,
    standings: (id) => (id === crunchId ? [...models.values()].map((model) => model.standing()) : []),
    onFailureReport(id, report, { hasKey }) {
      const model = id === crunchId ? models.get(report.model_id) : undefined
      judge.take(model, report, { hasKey, isOverruled: !hasKey && discovery.hasCoordinatorInCharge(id) })
    },
  })
  try {
    return { discovery, http: await startHttp(settings, apiKey, models), tellReady }
  } catch (error) {
    await discovery.close()
    throw error
  }
}

async function startHttp(
  settings: OrchestratorSettings,
  apiKey: string,
  models: ReadonlyMap<string, SupervisedModel>,
): Promise<ModelsApi | null> {
  if (settings.http === undefined) return null
  return startModelsApi(
    { ...settings.http, apiKey },
    {
      crunchId: settings.crunchId,
      modelsFile: resolve(settings.modelsFile),
      submissionsDirectory: resolve(settings.submissionsDirectory),
      logsDirectory: settings.logsDirectory === undefined ? undefined : resolve(settings.logsDirectory),
      models: () => [...models.values()].map((model) => model.status()),
      retry: (modelId) => models.get(modelId)?.retry(),
      log: settings.log,
    },
  )
}

async function createRunResources(settings: OrchestratorSettings, limits: ModelLimits): Promise<RunResources> {
  const maxStartsAtOnce = settings.maxStartsAtOnce ?? availableParallelism() * 2
  const submissionsDirectory = resolve(settings.submissionsDirectory)
  const guard = startProcessGuard(settings.log)
  const closeGuard = (error: unknown): never => {
    guard.close()
    throw error
  }
  const logsDirectory = settings.logsDirectory === undefined ? undefined : resolve(settings.logsDirectory)
  const groups = openLimitGroups()
  const confinement = await createConfinement({
    settings: settings.confinement ?? {},
    limits,
    secret: [
      submissionsDirectory,
      resolve(settings.modelsFile),
      process.cwd(),
      ...(logsDirectory === undefined ? [] : [logsDirectory]),
    ],
    limitsSegments: groups.problems.memory !== null,
    guard,
    ports: createFreePorts(listenHost(settings.confinement?.advertiseHost)),
  }).catch(closeGuard)
  const usage = startUsageWatch(limits, settings.log, { groups })
  const preparation = await createPreparation({
    submissionsDirectory,
    runnerCommand: settings.runnerCommand ?? modelRunnerCommand(),
    baseClassName: settings.baseClassName,
    python: settings.python ?? {},
    source: process.env,
    guard,
    workshop: createWorkshop({ confinement, usage, guard, limits }),
  }).catch((error: unknown) => {
    usage.close()
    return closeGuard(error)
  })
  return {
    submissionsDirectory,
    logsDirectory,
    logLimits: { ...DEFAULT_LOG_LIMITS, ...settings.logLimits },
    preparation,
    modelEnvironment: settings.modelEnvironment ?? {},
    startTimeoutMs: settings.startTimeoutMs ?? 30_000,
    stopTimeoutMs: settings.stopTimeoutMs ?? 2_000,
    confinement,
    queue: createStartQueue(maxStartsAtOnce, MAX_START_TURN_MS),
    guard,
    usage,
    log: settings.log,
  }
}

/** Brings the models in line with the file; a model whose entry is gone is stopped and forgotten. */
function createApply(input: {
  readonly models: Map<string, SupervisedModel>
  readonly removed: Set<Promise<void>>
  readonly ports: SupervisionPorts
  readonly crunchId: string
  readonly traces: IdTraces
  readonly log: OrchestratorLog
}): (file: ModelsFile) => void {
  const { models, removed, ports, crunchId, traces, log } = input
  const warnedOf = new Set<string>()
  return (file) => {
    noteListedIds(file, traces, log)
    for (const foreign of file.foreign) {
      const key = `${foreign.id} ${foreign.crunchId}`
      if (warnedOf.has(key)) continue
      warnedOf.add(key)
      log.warn('model belongs to another competition and is skipped', {
        modelId: foreign.id,
        crunchId,
        its: foreign.crunchId,
      })
    }
    const previous = new Map(models)
    models.clear()
    for (const entry of file.entries) {
      const known = previous.get(entry.id)
      previous.delete(entry.id)
      const model = known ?? new SupervisedModel(entry, ports)
      models.set(entry.id, model)
      if (known === undefined) ports.announceStanding(model.standing())
      else known.apply(entry)
    }
    for (const [modelId, model] of previous) {
      log.info('model was removed from the models file', { modelId })
      ports.quarantine.forget(modelId)
      ports.announceStanding({ model_id: modelId, standing: 'REMOVED', reason: null })
      const stopped = model.stop().then(() => {
        removed.delete(stopped)
      })
      removed.add(stopped)
    }
  }
}

function idTraces({ modelsFile, submissionsDirectory, logsDirectory }: OrchestratorSettings): IdTraces {
  return { modelsFile: resolve(modelsFile), submissionsDirectory: resolve(submissionsDirectory), logsDirectory }
}

/** An id that an operator wrote by hand must not be given again either. */
function noteListedIds({ entries, foreign }: ModelsFile, traces: IdTraces, log: OrchestratorLog): void {
  try {
    noteIds(
      traces,
      [...entries, ...foreign].map(({ id }) => id),
    )
  } catch (error) {
    log.error('model ids cannot be stored; no model can be added until that is fixed', {
      reason: errorText(error),
    })
  }
}

/** Starts wait for each other, so the bound grows with their number by `turnMs` each. */
async function settleWithin(models: readonly SupervisedModel[], oneStartMs: number, turnMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, oneStartMs + models.length * turnMs)
  })
  await Promise.race([Promise.all(models.map((model) => model.settled)), limit])
  clearTimeout(timer)
}
