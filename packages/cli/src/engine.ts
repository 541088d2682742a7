// The only file of the command line that imports the engine.
import {
  type AnyContract,
  AuthorError,
  archiveDays,
  type BackfillJob,
  type BackfillProgress,
  backfill,
  beginNewEra,
  boardRows,
  type Checkpoint,
  type ContractRehearsal,
  checkDatabase,
  checkpointStatuses,
  checkWebConfig,
  clipSource,
  compareStoredContract,
  connectModelRunner,
  contractFeeds,
  contractRecording,
  type ExportFormat,
  type ExportKind,
  exportCheckpoint,
  exportFormats,
  exportKinds,
  exportTable,
  type FeedScope,
  feedScopeKey,
  followRecording,
  formatInstant,
  type GrpcModelRunner,
  hashContractCode,
  isArchiveFolder,
  type LeaderboardReport,
  type Log,
  leaderboardRows,
  liveSources,
  loadContract,
  type ModelAnswer,
  type ModelRunner,
  type NewEra,
  nearestName,
  newBackfillJob,
  openPayouts,
  openPostgresStore,
  type PayoutFormat,
  type Payouts,
  payoutFormats,
  type Rehearsal,
  type RehearsedCall,
  type ReportContract,
  readInstant,
  readSettings,
  recordingName,
  refusalOfName,
  rehearseContract,
  rehearseRound,
  reportContract,
  resolveContract,
  type SimulationResult,
  type Store,
  sampleRecords,
  silentLog,
  simulate,
  steadyNodeArguments,
  storedCheckpoint,
  storedOutcome,
  unreadKeys,
  type WebConfigFile,
  type WebConfigProblem,
  type WorkerName,
  wallClock,
  wallTiming,
  warningLog,
  webConfigFiles,
  webConfigFolder,
  workerCommand,
  writeRecording,
  writeTable,
} from '@crunch/coordinator-node/internal'
import type { NodeSettings } from './node-settings.ts'
import type { Environment, NodeEnvironment } from './read-environment.ts'

export {
  type ApiKey,
  formatDuration,
  isKeyValid,
  newKeyText,
  parseDuration,
  recordingWarnings,
} from '@crunch/coordinator-node/internal'

export type {
  AnyContract,
  BackfillJob,
  BackfillProgress,
  Checkpoint,
  ExportFormat,
  ExportKind,
  FeedScope,
  GrpcModelRunner,
  ModelAnswer,
  ModelRunner,
  PayoutFormat,
  Payouts,
  Rehearsal,
  RehearsedCall,
  SimulationResult,
  Store,
  WorkerName,
}

export { archiveDays, checkDatabase, compareStoredContract, isArchiveFolder, steadyNodeArguments, workerCommand }

/** The settings that the command line itself needs. Throws SETTINGS_INVALID with every finding. */
export function readNodeSettings(environment: NodeEnvironment): NodeSettings {
  const { values } = environment
  const settings = readSettings(values, environment)
  return {
    crunchId: settings.CRUNCH_ID,
    organizerId: settings.ORGANIZER_CRUNCHER_ID,
    databaseUrl: settings.databaseUrl,
    databasePlace: placeOf(settings.DATABASE_URL === undefined ? 'POSTGRES_HOST' : 'DATABASE_URL', environment),
    apiPort: settings.REPORT_API_PORT,
    pagePort: settings.REPORT_UI_PORT,
    modelRunnerHost: settings.MODEL_RUNNER_NODE_HOST,
    modelRunnerPort: settings.MODEL_RUNNER_NODE_PORT,
    orchestratorHost: settings.MODEL_ORCHESTRATOR_HTTP_HOST,
    orchestratorPort: settings.MODEL_ORCHESTRATOR_HTTP_PORT,
    apiKey: settings.API_KEY,
    modelBaseClassName: settings.MODEL_BASE_CLASSNAME,
    pythonProgram: settings.MODEL_ORCHESTRATOR_PYTHON,
    modelLimits: {
      memoryMib: settings.MODEL_MEMORY_MEBIBYTES,
      cpuCores: settings.MODEL_CPU_CORES,
      startTimeoutMs: settings.MODEL_START_TIMEOUT_MILLISECONDS,
      processes: settings.MODEL_PROCESSES,
      openFiles: settings.MODEL_OPEN_FILES,
      folderMib: settings.MODEL_FOLDER_MEBIBYTES,
      network: settings.MODEL_NETWORK,
      namespaces: settings.MODEL_NAMESPACES,
      allowBuilds: settings.MODEL_ALLOW_BUILDS,
    },
    replaySpeed: values.FEED_REPLAY_SPEED === undefined ? undefined : settings.FEED_REPLAY_SPEED,
    replaysBySetting: settings.FEED_REPLAY_FILES !== undefined,
    modelTimeoutMs:
      settings.MODEL_RUNNER_TIMEOUT_SECONDS === undefined ? undefined : settings.MODEL_RUNNER_TIMEOUT_SECONDS * 1_000,
    runsModelsHere:
      settings.MODEL_ORCHESTRATOR !== 'external' &&
      ['localhost', '127.0.0.1', '::1'].includes(settings.MODEL_RUNNER_NODE_HOST),
  }
}

function placeOf(key: string, { places }: NodeEnvironment): string {
  const place = places.get(key)
  return place === undefined ? key : `${place}: ${key}`
}

/** Unused keys of the settings files that do not resemble a setting. */
export { unreadKeys }

/** The contract with the overrides of the settings. Throws CONTRACT_NOT_LOADED, or CONTRACT_INVALID with every finding. */
export function loadNodeContract(path: string, environment: Environment): Promise<AnyContract> {
  return loadContract(path, readSettings(environment))
}

/** Ends the current era of a database and begins the next one with a changed contract. */
export async function confirmNewEra(node: {
  readonly store: Store
  readonly contract: AnyContract
  readonly contractPath: string
  readonly environment: Environment
}): Promise<NewEra> {
  const { store, contract, contractPath, environment } = node
  const settings = readSettings(environment)
  const codeHash = await hashContractCode(contractPath, settings)
  return beginNewEra({ store, contract, settings, codeHash, clock: wallClock, log: silentLog })
}

/** The known name that is most similar to a misspelled one. */
export { formatInstant as formatTime, nearestName, readInstant }

/** The sources of the contract that have no live stream in this version. */
export function sourcesWithoutLive(contract: AnyContract): readonly string[] {
  const feeds = contractFeeds(contract).filter(({ definition }) => definition.from === undefined)
  const sources = new Set(feeds.map(({ scope }) => scope.source))
  return [...sources].filter((source) => !liveSources.includes(source))
}

/** The live sources of this version. */
export const knownLiveSources: readonly string[] = liveSources

/** Number of rounds that open per millisecond of recorded time. */
export function roundsPerMs(contract: AnyContract): number {
  return resolveContract(contract).schedules.reduce((sum, { everyMs }) => sum + 1 / everyMs, 0)
}

/** Why the node would refuse a model: a participant's model has the name of a baseline. `null` if the node accepts it. */
export function nameRefusal(
  contract: AnyContract,
  organizerId: string,
  model: { readonly name: string; readonly cruncherId: string },
): string | null {
  return refusalOfName(model, resolveContract(contract, organizerId).organizer)
}

/** A model in this process, with its name. */
export interface LocalModel {
  readonly id: string
  readonly name: string
  readonly cruncherId: string
  readonly cruncherName: string
  readonly model: object
}

/** A range of recorded time, `from <= knownAt < to`, in Unix milliseconds. */
export interface RecordedPart {
  readonly from?: number
  readonly to?: number
}

/** Simulates a competition on recordings; `board` is the newest leaderboard in the format of the API. */
export async function simulateRecordings(options: {
  readonly contract: AnyContract
  readonly files: readonly string[]
  readonly part?: RecordedPart
  readonly models: readonly LocalModel[]
  readonly organizerId: string
  /** Models in separate processes, with their time limit, and a function that waits for them before each batch. */
  readonly hosted?: {
    readonly runner: ModelRunner
    readonly timeoutMs: number | undefined
    readonly beforeBatch: () => Promise<void>
  }
  readonly onProgress: (progress: { readonly recordCount: number; readonly at: number }) => void
  /** Called once for each problem, such as a refused model. */
  readonly onProblem: (text: string) => void
  readonly signal: AbortSignal
}): Promise<SimulationResult & { readonly board: readonly LeaderboardReport[] }> {
  const { contract, files, models, organizerId, onProgress, onProblem, signal, part = {}, hosted } = options
  const { timeoutMs, ...behindTheWire } = hosted ?? {}
  const result = await simulate({
    contract,
    source: clipSource(contractRecording(contract, files, warningLog(onProblem)), part),
    models: models.map(({ model, ...identity }) => ({ identity, model })),
    organizerCruncherId: organizerId,
    ...behindTheWire,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    onProgress,
    log: problemLog(onProblem),
    signal,
  })
  return { ...result, board: boardRows(result.leaderboard, result.rows.models, reportContract(contract, organizerId)) }
}

/** Reports errors and events of models, each once: they may recur in every round of a recording. */
function problemLog(onProblem: (text: string) => void): Log {
  const reported = new Set<string>()
  const error: Log['error'] = (message, fields = {}) => {
    const { modelId, reason } = fields
    const text = [modelId === undefined ? [] : `model ${modelId}`, message, reason ?? []].flat().join(': ')
    // Errors of the contract are reported once per kind: their reason may differ in every round, and the result counts them.
    const kind = modelId === undefined ? message : text
    if (reported.has(kind)) return
    reported.add(kind)
    onProblem(text)
  }
  const warn: Log['warn'] = (message, fields) => {
    if (fields?.modelId !== undefined) error(message, fields)
  }
  return { ...silentLog, warn, error }
}

/** Runs the first rounds of recordings with the models of `runner`; `null` if no round opens. */
export function rehearseRecordings(options: {
  readonly contract: AnyContract
  readonly files: readonly string[]
  readonly runner: ModelRunner
  readonly timeoutMs: number | undefined
  /** Called with the reason why the contract opens no round. */
  readonly onError: (message: string, reason: string) => void
  readonly signal: AbortSignal
}): Promise<Rehearsal | null> {
  const { contract, files, onError, ...rest } = options
  const log: Log = { ...silentLog, error: (message, fields) => onError(message, String(fields?.reason ?? '')) }
  return rehearseRound({ ...rest, contract, source: contractRecording(contract, files), log })
}

/**
 * Runs the contract's first rounds with example answers, up to the payout, on recordings or on records generated from its schemas.
 * `null` if no records can be generated. An error in the author's code is returned as a reason, not thrown.
 */
export async function rehearseNodeContract(
  contract: AnyContract,
  files: readonly string[],
  signal: AbortSignal,
  onWarning: (warning: string) => void,
): Promise<Pick<ContractRehearsal, 'refusals' | 'failure' | 'roundCount' | 'scoredCount'> | null> {
  const source = files.length > 0 ? contractRecording(contract, files, warningLog(onWarning)) : sampleRecords(contract)
  if (source === null) return null
  try {
    return await rehearseContract({ contract, source, signal })
  } catch (error) {
    if (!(error instanceof AuthorError)) throw error
    return { refusals: [], failure: error.message, roundCount: 0, scoredCount: 0 }
  }
}

/**
 * Connects to an orchestrator on this machine, as a node does. One Setup attempt is enough, because the orchestrator announces a
 * model only when it serves.
 */
export function connectModels(options: {
  readonly port: number
  readonly orchestratorKey: () => string
  readonly crunchId: string
  readonly baseClassName: string
  readonly setupTimeoutMs: number
  readonly onFatal: (error: Error) => void
}): Promise<GrpcModelRunner> {
  return connectModelRunner({ ...options, host: '127.0.0.1', setupAttempts: 1, log: silentLog })
}

/** Opens the store of a node, after migrating its database. */
export { openPostgresStore as openStore }

/** The series of the contract's feeds. */
export function contractScopes(contract: AnyContract): readonly FeedScope[] {
  return contractFeeds(contract).map(({ scope }) => scope)
}

/** The key of a series, such as `binance:BTCUSDT:candle:1m`, and a new backfill job. */
export { feedScopeKey, newBackfillJob }

/** Runs a stored backfill until it is completed, fails, is cancelled or is interrupted. */
export function runBackfillJob(options: {
  readonly job: BackfillJob
  readonly contract: AnyContract
  readonly environment: Environment
  readonly store: Store
  /** Called with the reason why the job waits for its source. */
  readonly onWarning: (message: string) => void
  readonly onProgress: (progress: BackfillProgress) => void
  readonly signal: AbortSignal
}): Promise<BackfillJob> {
  const { job, environment, onWarning, ...rest } = options
  const warn: Log['warn'] = (message, fields) =>
    onWarning(`${message}: ${String(fields?.reason ?? fields?.scope ?? '')}`)
  const log: Log = { ...silentLog, warn, error: warn }
  return backfill(job, { ...rest, settings: readSettings(environment), env: environment, log })
}

/** Retention time of the node's records, in milliseconds. */
export function retentionMs(environment: Environment): number {
  return readSettings(environment).FEED_RECORD_TTL_DAYS * 86_400_000
}

/** `writeRecording` exports the stored records, `followRecording` new ones. */
export {
  checkpointStatuses,
  exportCheckpoint,
  exportFormats,
  exportKinds,
  exportTable,
  followRecording,
  payoutFormats,
  recordingName,
  storedCheckpoint,
  storedOutcome,
  wallTiming,
  writeRecording,
  writeTable,
}

/** The parts of a contract that exports of results need. */
export function nodeReportContract(contract: AnyContract, environment: Environment): ReportContract {
  return reportContract(contract, readSettings(environment).ORGANIZER_CRUNCHER_ID)
}

/** The files of the web application's configuration, and where they are in the folder of the contract. */
export { webConfigFiles, webConfigFolder }

/** Where such a file no longer fits the contract. The organizer's id does not matter to it. */
export function webConfigProblems(file: WebConfigFile, content: unknown, contract: AnyContract): WebConfigProblem[] {
  return checkWebConfig(file, content, reportContract(contract, ''))
}

/** The payouts of a node on their way to the chain, by its settings. `folder` contains its contract. */
export function nodePayouts(store: Store, environment: Environment, folder: string): Promise<Payouts> {
  return openPayouts(store, readSettings(environment), folder)
}

/** The rows of the newest leaderboard in a store, in the format of the API. */
export function storedBoard(store: Store, contract: AnyContract, environment: Environment) {
  return leaderboardRows(store, nodeReportContract(contract, environment))
}
