import { readFile, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { errorText, OrchestratorError } from '../errors.ts'
import { quarantineFileIn } from '../run/quarantine-memory.ts'
import type { OrchestratorSettings } from '../start-orchestrator.ts'
import { type OrchestratorConfig, parseOrchestratorConfig } from './orchestrator-config.ts'
import { openOrchestratorKey } from './orchestrator-key.ts'
import type { StartOptions } from './start-options.ts'

const MAX_CONFIG_BYTES = 1024 * 1024
const NO_CONFIG: Partial<OrchestratorConfig> = {}

/** The configuration that `--config` names; nothing without it. Throws `SETTINGS_INVALID`. */
export async function readConfig(path: string | undefined): Promise<Partial<OrchestratorConfig>> {
  if (path === undefined) return NO_CONFIG
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_CONFIG_BYTES) throw new Error(`it is larger than ${MAX_CONFIG_BYTES} bytes`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    const problem = `${path}: cannot be read (${errorText(error)}); give --config a file that exists, or leave it out`
    throw new OrchestratorError('SETTINGS_INVALID', problem, { cause: error })
  }
  return parseOrchestratorConfig({ path, text, environment: process.env })
}

/** The log's level: flag, environment, configuration, default. */
export function logLevelOf(command: Command, options: StartOptions, config: Partial<OrchestratorConfig>): string {
  return isChosen(command, 'logLevel') ? options.logLevel : (config.logLevel ?? options.logLevel)
}

/** What to start: flags win over the environment, that over the configuration, and that over the defaults. */
export function settingsOf(
  command: Command,
  options: StartOptions,
  config: Partial<OrchestratorConfig>,
): Omit<OrchestratorSettings, 'log' | 'runnerCommand'> {
  const chosen = <Value>(name: keyof StartOptions, given: Value, configured: Value | undefined): Value =>
    isChosen(command, name) ? given : (configured ?? given)
  const submissions = options.submissions ?? config.submissionsDirectory
  const modelsFile = options.models ?? config.modelsFile
  if (modelsFile === undefined) throw missing('--models models.dev.yml', 'watcher.poller.path')
  if (submissions === undefined) {
    throw missing('--submissions DIRECTORY', 'infrastructure.runner.submission-storage-path-format')
  }
  const { crunchId, modelEnvironment } = crunchOf(command, options, config)
  const { pingIntervalMs, pongTimeoutMs } = config
  return {
    crunchId,
    modelEnvironment,
    modelsFile,
    submissionsDirectory: submissions,
    ...(options.logs === undefined ? {} : { logsDirectory: options.logs }),
    baseClassName: options.baseClassName,
    host: chosen('host', options.host, config.host),
    port: chosen('port', options.port, config.port),
    pollMs: chosen('poll', options.poll, config.pollMs),
    ...(options.httpPort === 'off' ? {} : { http: { host: options.httpHost, port: options.httpPort } }),
    apiKey: apiKeyOf(process.env.API_KEY) ?? openOrchestratorKey(options.logs ?? submissions),
    discovery: {
      ...(pingIntervalMs === undefined ? {} : { keepaliveMs: pingIntervalMs }),
      ...(pongTimeoutMs === undefined ? {} : { pongTimeoutMs }),
    },
    ...(config.remembersQuarantine === false ? {} : { quarantineFile: quarantineFileIn(options.logs ?? submissions) }),
    ...limitsOf(options),
  }
}

function limitsOf(options: StartOptions) {
  return {
    startTimeoutMs: options.startTimeout,
    stopTimeoutMs: options.stopTimeout,
    restart: {
      initialDelayMs: options.restartDelay,
      maxDelayMs: options.restartMaxDelay,
      stableAfterMs: options.stableAfter,
      maxQuickFailures: options.maxFailures,
    },
    python: {
      program: options.python,
      path: options.pythonPath,
      allowBuilds: options.modelAllowBuilds === 'true',
      ...(options.environments === undefined ? {} : { environmentsDirectory: options.environments }),
    },
    confinement: { network: options.modelNetwork, namespaces: options.modelNamespaces },
    modelLimits: {
      memoryMib: options.modelMemory,
      cpuCores: options.modelCpu,
      processes: options.modelProcesses,
      openFiles: options.modelOpenFiles,
      folderMib: options.modelFolder,
    },
  }
}

/** Empty is as good as none. */
function apiKeyOf(setting: string | undefined): string | undefined {
  return setting?.trim() || undefined
}

/** One orchestrator serves one competition; the option is required when the configuration names several. */
function crunchOf(command: Command, options: StartOptions, config: Partial<OrchestratorConfig>) {
  const crunches = config.crunches ?? []
  if (crunches.length === 0) return { crunchId: options.crunchId, modelEnvironment: {} }
  const [only] = crunches
  const isNamed = isChosen(command, 'crunchId')
  const found = isNamed ? crunches.find(({ id }) => id === options.crunchId) : crunches.length === 1 ? only : undefined
  if (found !== undefined) return { crunchId: found.id, modelEnvironment: found.modelEnvironment }
  const ids = crunches.map(({ id }) => id).join(', ')
  const problem = isNamed ? `crunches has no "${options.crunchId}", but ${ids}` : `crunches names several: ${ids}`
  throw new OrchestratorError('SETTINGS_INVALID', `${options.config}: ${problem}; choose one with --crunch-id`)
}

function isChosen(command: Command, name: keyof StartOptions): boolean {
  return ['cli', 'env'].includes(command.getOptionValueSource(name) ?? '')
}

function missing(flag: string, key: string): OrchestratorError {
  return new OrchestratorError('SETTINGS_INVALID', `${flag} is missing; give it, or ${key} in the file of --config`)
}
