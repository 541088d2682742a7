import { dirname, resolve } from 'node:path'
import { startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { AuthorError } from '../../contract/author-code.ts'
import { CrunchError, type CrunchErrorCode } from '../../domain/errors.ts'
import type { Log } from '../../ports/log.ts'
import { hashContractCode } from '../eras/hash-contract-code.ts'
import { createLiveSources } from '../feeds/live-sources.ts'
import { loadContract } from '../load-contract.ts'
import { createLog } from '../log.ts'
import { readSettings } from '../settings.ts'
import { runWorkers } from './run-workers.ts'
import type { WorkerName } from './worker-context.ts'

export interface WorkerProcessOptions {
  readonly workers: readonly WorkerName[]
  readonly contractPath: string
  /** End when standard input closes, because the parent process has exited then. */
  readonly exitWithParent: boolean
}

/** Errors that a restart would not fix. */
const configurationCodes: readonly CrunchErrorCode[] = [
  'CONTRACT_INVALID',
  'CONTRACT_NOT_LOADED',
  'ROUTES_NOT_LOADED',
  'SETTINGS_INVALID',
  'STORE_TOO_NEW',
  'OTHER_COMPETITION',
  'CONTRACT_CHANGED',
  'ERA_ENDED',
  'STORE_UNSUITABLE',
  'RECORDING_INVALID',
  'FEED_UNAVAILABLE',
  'BAD_REQUEST',
]

const drainLimitMs = 4_500

/**
 * Runs workers as the main program of a process. Resolves to the exit code: 0 after SIGTERM or SIGINT, 2 for an invalid
 * contract or settings (a restart does not help), 1 for failures of the environment (a restart recovers).
 */
export async function runWorkerProcess(options: WorkerProcessOptions): Promise<number> {
  const bootLog = createLog({ LOG_LEVEL: 'info', LOG_FORMAT: process.env.LOG_FORMAT === 'pretty' ? 'pretty' : 'json' })
  try {
    const settings = readSettings(process.env)
    const log = createLog(settings)
    const contract = await loadContract(options.contractPath, settings)
    const codeHash = await hashContractCode(options.contractPath, settings)
    const embedded =
      settings.databaseUrl === undefined ? await startEmbeddedPostgres({ directory: '.crunch/postgres' }) : undefined
    const streamsLive = options.workers.includes('feed-data') && settings.FEED_REPLAY_FILES === undefined
    const ending = endingSignal(log, options.exitWithParent)
    try {
      const waitingFor = new Set(options.workers)
      await runWorkers({
        workers: options.workers,
        contract,
        contractFolder: dirname(resolve(options.contractPath)),
        settings,
        databaseUrl: settings.databaseUrl ?? embedded?.url ?? '',
        codeHash,
        log,
        ...(streamsLive && { sources: createLiveSources(contract, settings, { env: process.env, log }) }),
        signal: ending,
        onReady(worker, fields) {
          log.info(`${worker} is ready`, { worker, ...fields })
          waitingFor.delete(worker)
          if (waitingFor.size === 0)
            log.info('all workers are ready', { event: 'ready', workers: [...options.workers] })
        },
      })
    } finally {
      await embedded?.stop()
    }
    log.info('the workers have ended', { event: 'ended' })
    return 0
  } catch (error) {
    return reportFailure(bootLog, error)
  }
}

function reportFailure(log: Log, error: unknown): number {
  if (error instanceof AuthorError) {
    log.error(error.message, { event: 'failed', code: 'CONTRACT_INVALID', cause: null })
    return 2
  }
  if (!(error instanceof CrunchError)) {
    log.error(error instanceof Error ? (error.stack ?? error.message) : String(error), { event: 'failed' })
    return 1
  }
  const cause = error.cause instanceof Error ? error.cause.message : null
  log.error(error.message, { event: 'failed', code: error.code, cause })
  return configurationCodes.includes(error.code) ? 2 : 1
}

/** Aborts on SIGTERM, SIGINT or exit of the parent process; work that has not drained some seconds later is cut off. */
function endingSignal(log: Log, exitWithParent: boolean): AbortSignal {
  const controller = new AbortController()
  const end = (reason: string) => {
    if (controller.signal.aborted) return
    log.info('ending', { reason })
    controller.abort()
    setTimeout(() => {
      log.warn('work was still in progress at exit; the next start recovers it', { event: 'ended' })
      process.exit(0)
    }, drainLimitMs).unref()
  }
  process.once('SIGTERM', () => end('SIGTERM'))
  process.once('SIGINT', () => end('SIGINT'))
  if (exitWithParent) {
    process.stdin.on('error', () => end('the parent process has exited'))
    process.stdin.on('end', () => end('the parent process has exited'))
    process.stdin.resume()
  }
  return controller.signal
}
