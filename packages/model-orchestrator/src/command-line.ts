import { printableLines } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { Command } from 'commander'
import { type DestinationStream, type Logger, pino } from 'pino'
import { OrchestratorError } from './errors.ts'
import { giveWay } from './limit/lower-priority.ts'
import type { OrchestratorLog } from './log.ts'
import type { RunnerCommand } from './prepare/prepared-submission.ts'
import { launcherEnded } from './process/launcher.ts'
import { addStartCommand, readStartSettings } from './settings/start-command.ts'
import { type Orchestrator, startOrchestrator } from './start-orchestrator.ts'

/** Stopping takes at most this long; then the process exits and the guard kills the remaining processes. */
const STOP_LIMIT_MS = 4_500

/** Exit code for errors that a restart with the same settings cannot cure. */
const SETTINGS_EXIT_CODE = 2

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
  addStartCommand(program).action(async (options: { readonly logLevel: string }, command: Command) => {
    const writeTo = override.logTo ?? pino.destination({ fd: 2, sync: true })
    // The log contains names and failure texts of participants, and a terminal may show it. Escaping does not change
    // the JSON values.
    const logger = pino(
      { level: options.logLevel, base: null },
      { write: (line) => writeTo.write(printableLines(line)) },
    )
    exitCode = await runUntilSignal(command, logger, override.runnerCommand)
  })
  await program.parseAsync([...argv], { from: 'user' })
  return exitCode
}

async function runUntilSignal(
  command: Command,
  logger: Logger,
  runnerCommand: RunnerCommand | undefined,
): Promise<number> {
  // Registered first: a signal during the start must stop the processes that already run.
  const signalled = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
    void launcherEnded().then(() => resolve('the end of the npx or npm that started it'))
  })
  const log = toLog(logger)
  try {
    giveWay()
  } catch (error) {
    log.warn('the orchestrator could not lower its priority, and may delay models', { reason: errorText(error) })
  }
  let orchestrator: Orchestrator
  try {
    const { logLevel, ignored, orchestrator: settings } = await readStartSettings(command)
    logger.level = logLevel
    for (const setting of ignored) log.warn('setting has no effect here', { setting })
    orchestrator = await startOrchestrator({
      ...settings,
      log,
      ...(runnerCommand === undefined ? {} : { runnerCommand }),
    })
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error
    log.error('orchestrator cannot start', { code: error.code, reason: error.message })
    return error.code === 'SETTINGS_INVALID' ? SETTINGS_EXIT_CODE : 1
  }
  const { port, httpPort } = orchestrator
  let isStopping = false
  void orchestrator.settled().then(() => {
    if (isStopping) return
    process.stdout.write(`${JSON.stringify({ event: 'ready', port, httpPort, models: orchestrator.models() })}\n`)
  })
  const reason = await signalled
  isStopping = true
  log.info('orchestrator stops', { reason })
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
  if (!isInTime) log.error('orchestrator exits before all processes are stopped; the guard kills the rest')
  return isInTime
}

function toLog(logger: Logger): OrchestratorLog {
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}
