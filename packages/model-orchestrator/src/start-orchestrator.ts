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

/** After this time a start no longer blocks the others. */
const MAX_START_TURN_MS = 5_000

/** The settings of an orchestrator. Paths may be relative to the working directory. */
export interface OrchestratorSettings {
  readonly crunchId: string
  readonly modelsFile: string
  /** Contains one folder per submission, named by its id. */
  readonly submissionsDirectory: string
  /** The folder of the models' logs; if absent, their output is dropped. */
  readonly logsDirectory?: string
  readonly baseClassName: string
  readonly log: OrchestratorLog
  /** The address of the discovery socket; 127.0.0.1 unless given. */
  readonly host?: string
  /** The port of the discovery socket, 0 for a free one; 9091 unless given. */
  readonly port?: number
  /** Time limit from the start of a process until it serves; 30 s unless given. */
  readonly startTimeoutMs?: number
  /** Time from SIGTERM to SIGKILL; 2 s unless given. */
  readonly stopTimeoutMs?: number
  /**
   * The key of the HTTP API and of the coordinator in charge. If absent, a random secret key is used: no client can use
   * the API, and only confirmed failure reports count.
   */
  readonly apiKey?: string
  /** Limits for probing a model that a coordinator reported. */
  readonly probe?: Partial<ProbeLimits>
  /** The address of the HTTP API; absent for no API. */
  readonly http?: ModelsApiAddress
  /** How often the models file is read; 1 s unless given. */
  readonly pollMs?: number
  readonly restart?: Partial<RestartLimits>
  /** The file that keeps quarantines across restarts of the orchestrator; if absent, a restart ends them. */
  readonly quarantineFile?: string
  readonly logLimits?: Partial<LogLimits>
  /** The resource limits of one model. */
  readonly modelLimits?: Partial<ModelLimits>
  /** How models are isolated. */
  readonly confinement?: ConfinementSettings
  readonly discovery?: Partial<DiscoveryLimits>
  /** The program that hosts a submission in JavaScript or TypeScript; `@crunch/model-runner` unless given. */
  readonly runnerCommand?: RunnerCommand
  readonly python?: PythonSettings
  /** Environment variables of the models; variables that the runner needs keep their values. */
  readonly modelEnvironment?: Readonly<Record<string, string>>
}

/** A running orchestrator. */
export interface Orchestrator {
  /** The port of the discovery socket. */
  readonly port: number
  /** The port of the HTTP API; null without one. */
  readonly httpPort: number | null
  /** The models of the file, in its order. */
  models(): readonly ModelStatus[]
  /** Ends the quarantine or the back-off of a model; false if the model is unknown. */
  retry(modelId: string): boolean
  /** Resolves when every model of the first reading serves, has failed once or is stopped; at the latest after the time limit of all starts. */
  settled(): Promise<void>
  /** Closes the sockets and stops every model. */
  close(): Promise<void>
}

/** How long coordinators wait for their snapshot, so that a hanging start does not withhold the other models. */
const SNAPSHOT_WAIT_MS = 10_000

/**
 * Runs the submissions listed in the models file and announces them. Throws an `OrchestratorError`:
 * `ADDRESS_UNAVAILABLE` if a port is in use, `SETTINGS_INVALID` for a limit that is too low, `MODELS_FILE_INVALID` if
 * the file is invalid. A file that becomes invalid later is ignored until it is valid again.
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
  const { discovery, http, markReady } = await listen(settings, models, judge).catch((error: unknown) => {
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
  void settleWithin(starts, SNAPSHOT_WAIT_MS, 0).then(markReady)
  const watch = watchModelsFile({ path: modelsFile, crunchId, pollMs: settings.pollMs ?? 1_000, log, apply })
  const addresses = { port: discovery.port, httpPort: http?.port ?? null }
  warnOfUnreachableModels(settings)
  log.info('orchestrator listens', { crunchId, ...addresses, models: models.size, modelsFile })

  async function closeAll(): Promise<void> {
    await http?.close()
    await watch.close()
    await judge.close()
    // Closed before the models stop: a STOPPED message would suggest to coordinators that the models ended by themselves.
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
  let markReady = () => {}
  const snapshotReady = new Promise<void>((done) => {
    markReady = done
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
    return { discovery, http: await startHttp(settings, apiKey, models), markReady }
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
    queue: createStartQueue(2 * availableParallelism(), MAX_START_TURN_MS),
    guard,
    usage,
    log: settings.log,
  }
}

/** Applies the file to the models; a model without an entry is stopped and forgotten. */
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

/** Ids that an operator wrote by hand must not be reused either. */
function noteListedIds({ entries, foreign }: ModelsFile, traces: IdTraces, log: OrchestratorLog): void {
  try {
    noteIds(
      traces,
      [...entries, ...foreign].map(({ id }) => id),
    )
  } catch (error) {
    log.error('cannot store the model ids; no model can be added until this is fixed', {
      reason: errorText(error),
    })
  }
}

/** Starts wait for their turns, so each model extends the limit by `turnMs`. */
async function settleWithin(models: readonly SupervisedModel[], oneStartMs: number, turnMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, oneStartMs + models.length * turnMs)
  })
  await Promise.race([Promise.all(models.map((model) => model.settled)), limit])
  clearTimeout(timer)
}
