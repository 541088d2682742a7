import { Command, InvalidArgumentError, Option } from 'commander'
import { type DestinationStream, type Logger, pino } from 'pino'
import { DEFAULT_MODEL_LIMITS } from './model-limits.ts'
import type { RunnerCommand } from './model-run.ts'
import { errorText, OrchestratorError } from './orchestrator-error.ts'
import type { OrchestratorLog } from './orchestrator-log.ts'
import { type Orchestrator, startOrchestrator } from './start-orchestrator.ts'

/** Stopping takes at most this long; then the process ends and the guard kills what is left. */
const STOP_LIMIT_MS = 4_500

interface StartOptions {
  readonly models: string
  readonly submissions: string
  readonly crunchId: string
  readonly baseClassName: string
  readonly host: string
  readonly port: number
  readonly logs?: string
  readonly logLevel: string
  readonly startTimeout: number
  readonly stopTimeout: number
  readonly poll: number
  readonly restartDelay: number
  readonly restartMaxDelay: number
  readonly stableAfter: number
  readonly maxFailures: number
  readonly python: string
  readonly pythonPath: readonly string[]
  readonly environments?: string
  readonly modelMemory: number
  readonly modelCpu: number
  readonly modelProcesses: number
  readonly modelOpenFiles: number
  readonly modelFolder: number
}

/**
 * `crunch-model-orchestrator start`: logs JSON lines to stderr and prints one line `{"event":"ready",...}` to stdout
 * when the first models serve or have failed. Resolves with the exit code.
 */
export async function runCommandLine(
  argv: readonly string[],
  override: { readonly runnerCommand?: RunnerCommand; readonly logTo?: DestinationStream } = {},
): Promise<number> {
  let exitCode = 0
  const program = new Command('crunch-model-orchestrator')
    .description('Starts submissions as local processes and announces them to coordinators')
    .showHelpAfterError()
  addStartCommand(program).action(async (options: StartOptions) => {
    const logger = pino(
      { level: options.logLevel, base: null },
      override.logTo ?? pino.destination({ fd: 2, sync: true }),
    )
    exitCode = await runUntilSignal(options, logger, override.runnerCommand)
  })
  await program.parseAsync([...argv], { from: 'user' })
  return exitCode
}

function addStartCommand(program: Command): Command {
  const { memoryMib, cpuCores, processes, openFiles, folderMib } = DEFAULT_MODEL_LIMITS
  return program
    .command('start')
    .description('runs every RUNNING entry of the models file until SIGTERM or SIGINT')
    .requiredOption('--models <file>', 'models.dev.yml: which models shall run')
    .requiredOption('--submissions <directory>', 'one folder a submission, named by its id')
    .addOption(new Option('--crunch-id <id>', 'the competition').env('CRUNCH_ID').default('starter-challenge'))
    .addOption(
      new Option('--base-class-name <name>', 'base class of the participants')
        .env('MODEL_BASE_CLASSNAME')
        .default('tracker.TrackerBase'),
    )
    .option('--host <address>', 'where coordinators connect', '127.0.0.1')
    .addOption(
      new Option('--port <port>', 'discovery port, 0 for a free one')
        .env('MODEL_RUNNER_NODE_PORT')
        .default(9091)
        .argParser(parseWithin(0, 65_535)),
    )
    .option('--logs <directory>', 'logs of the models; without it their output is dropped')
    .addOption(
      new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).env('LOG_LEVEL').default('info'),
    )
    .option('--start-timeout <ms>', 'from the start of a process until it serves', parseWithin(100, 600_000), 30_000)
    .option('--stop-timeout <ms>', 'from SIGTERM to SIGKILL', parseWithin(0, 3_000), 2_000)
    .option('--poll <ms>', 'how often the models file is read', parseWithin(50, 60_000), 1_000)
    .option(
      '--restart-delay <ms>',
      'wait before the first restart, doubled each time',
      parseWithin(1, 3_600_000),
      1_000,
    )
    .option('--restart-max-delay <ms>', 'longest wait before a restart', parseWithin(1, 3_600_000), 60_000)
    .option('--stable-after <ms>', 'serving this long ends a row of failures', parseWithin(1, 3_600_000), 60_000)
    .option('--max-failures <count>', 'failures in a row until quarantine', parseWithin(1, 1_000), 5)
    .addOption(
      new Option('--python <program>', 'Python 3.11 or newer, for Python submissions and notebooks')
        .env('MODEL_ORCHESTRATOR_PYTHON')
        .default('python3'),
    )
    .option('--python-path <directory>', 'where Python models find the base class; may be repeated', collect, [])
    .option('--environments <directory>', 'where Python environments are made (default: beside the submissions)')
    .option('--model-memory <MiB>', 'resident memory of one model', parseWithin(128, 1_048_576), memoryMib)
    .option('--model-cpu <cores>', 'processor time of one model, on the average of a minute', parseCores, cpuCores)
    .option('--model-processes <count>', 'processes of one model', parseWithin(8, 10_000), processes)
    .option('--model-open-files <count>', 'open files of each of its processes', parseWithin(64, 1_048_576), openFiles)
    .option('--model-folder <MiB>', 'the folder it may write to', parseWithin(1, 65_536), folderMib)
}

async function runUntilSignal(
  options: StartOptions,
  logger: Logger,
  runnerCommand: RunnerCommand | undefined,
): Promise<number> {
  // Listening from the first moment: a signal during the start must stop what was started by then.
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
  const log = toLog(logger)
  let orchestrator: Orchestrator
  try {
    orchestrator = await startOrchestrator({
      crunchId: options.crunchId,
      modelsFile: options.models,
      submissionsDirectory: options.submissions,
      ...(options.logs === undefined ? {} : { logsDirectory: options.logs }),
      baseClassName: options.baseClassName,
      log,
      host: options.host,
      port: options.port,
      startTimeoutMs: options.startTimeout,
      stopTimeoutMs: options.stopTimeout,
      pollMs: options.poll,
      restart: {
        initialDelayMs: options.restartDelay,
        maxDelayMs: options.restartMaxDelay,
        stableAfterMs: options.stableAfter,
        maxQuickFailures: options.maxFailures,
      },
      python: {
        program: options.python,
        path: options.pythonPath,
        ...(options.environments === undefined ? {} : { environmentsDirectory: options.environments }),
      },
      modelLimits: {
        memoryMib: options.modelMemory,
        cpuCores: options.modelCpu,
        processes: options.modelProcesses,
        openFiles: options.modelOpenFiles,
        folderMib: options.modelFolder,
      },
      ...(runnerCommand === undefined ? {} : { runnerCommand }),
    })
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error
    log.error('orchestrator cannot start', { code: error.code, reason: error.message })
    return 1
  }
  const { port } = orchestrator
  let isStopping = false
  void orchestrator.settled().then(() => {
    if (isStopping) return
    process.stdout.write(`${JSON.stringify({ event: 'ready', port, models: orchestrator.models() })}\n`)
  })
  const signal = await signalled
  isStopping = true
  log.info('orchestrator stops', { signal })
  return (await closesInTime(orchestrator, log)) ? 0 : 1
}

async function closesInTime(orchestrator: Orchestrator, log: OrchestratorLog): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), STOP_LIMIT_MS)
  })
  const closed = orchestrator.close().then(
    () => true,
    (error: unknown) => {
      log.error('orchestrator did not stop cleanly', { reason: errorText(error) })
      return false
    },
  )
  const isInTime = await Promise.race([closed, late])
  clearTimeout(timer)
  if (!isInTime) log.error('orchestrator ends before everything is stopped; the guard kills what is left')
  return isInTime
}

function toLog(logger: Logger): OrchestratorLog {
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function parseWithin(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= lowest && value <= highest) return value
    throw new InvalidArgumentError(`must be a whole number from ${lowest} to ${highest}`)
  }
}

function parseCores(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value >= 0.05 && value <= 1_024) return value
  throw new InvalidArgumentError('must be a number from 0.05 to 1024')
}
