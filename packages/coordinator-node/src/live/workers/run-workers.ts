import { createReplayClock, wallClock } from '../../adapters/clock/clocks.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import { connectionLimits, reportingLimits } from '../../adapters/store/postgres/session/connection-limits.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import type { Log } from '../../ports/log.ts'
import { enterEra } from '../eras/enter-era.ts'
import { openLiveFeed } from '../feeds/live-feed.ts'
import { logClockFaults } from '../health/check-clocks.ts'
import { keepBeating } from '../health/keep-beating.ts'
import type { Settings } from '../settings.ts'
import { createInFlight } from './in-flight.ts'
import { asPredictor, inFlightLimit, lost, runClockRounds, runPredictWorker } from './predict-worker.ts'
import { runReplayWorker } from './replay-worker.ts'
import { runReportWorker } from './report-worker.ts'
import { runCheckpointWorker, runScoreWorker } from './settle-workers.ts'
import type { WorkerContext, WorkerName } from './worker-context.ts'

/** Options of {@link runWorkers}. */
export interface RunWorkersOptions {
  /** Which workers run in this process. */
  readonly workers: readonly WorkerName[]
  /** The competition, as `loadContract` returns it. */
  readonly contract: AnyContract
  /** The settings of the node, as `readSettings` returns them. */
  readonly settings: Settings
  /** Folder of the contract, to which the registry of crunchers is relative. Default: the current folder. */
  readonly contractFolder?: string
  /** `postgres://user:password@host:port/database`, direct or through a pooler that keeps sessions. */
  readonly databaseUrl: string
  /** Identifies the version of the contract's code; recorded with each score. */
  readonly codeHash: string
  /** Receives the events of all workers. */
  readonly log: Log
  /** Live sources by the name that contracts use; needed by feed-data, except in a replay. */
  readonly sources?: ReadonlyMap<string, FeedSource>
  /** Ends the workers: they finish open work and the promise resolves. */
  readonly signal: AbortSignal
  /** Called when a worker is ready. */
  readonly onReady?: WorkerContext['ready']
}

/**
 * Runs workers in this process until the signal aborts. The first failure ends all of them and rejects; a node recovers by a
 * restart. Rejects with a `CrunchError`, e.g. STORE_UNAVAILABLE without a database, CONTRACT_CHANGED for a contract that
 * differs from the stored one, FEED_UNAVAILABLE for a source that the operator must fix.
 */
export async function runWorkers(options: RunWorkersOptions): Promise<void> {
  const { workers, settings, log } = options
  const isReplay = settings.FEED_REPLAY_FILES !== undefined
  if (isReplay && workers.includes('predict') !== workers.includes('feed-data')) {
    throw new CrunchError(
      'SETTINGS_INVALID',
      'in a replay, feed-data passes the time to predict, so both must run in one process: start --workers feed-data,predict',
    )
  }
  const ending = new AbortController()
  const end = () => ending.abort()
  if (options.signal.aborted) return
  options.signal.addEventListener('abort', end, { once: true })
  let connectionLoss: Error | undefined
  const store = await openPostgresStore({
    url: options.databaseUrl,
    announceRecords: workers.includes('feed-data') && !workers.includes('predict'),
    isLive: !isReplay,
    limits: workers.every((worker) => worker === 'report') ? reportingLimits : connectionLimits,
    onConnectionLost(error) {
      connectionLoss = error
      end()
    },
  })
  const clock = isReplay ? createReplayClock(() => store.newestWatermark()) : wallClock
  const { contract, codeHash } = options
  const era = await enterEra({ contract, settings, codeHash, store, clock, log }).catch(async (error: unknown) => {
    options.signal.removeEventListener('abort', end)
    await store.close()
    throw error
  })
  const context: WorkerContext = {
    contract,
    contractFolder: options.contractFolder ?? process.cwd(),
    settings,
    store,
    era,
    log,
    clock,
    sources: options.sources ?? new Map(),
    signal: ending.signal,
    ready(worker, fields) {
      // A worker that is ended while it waits, e.g. for models, gets here too.
      if (!ending.signal.aborted) options.onReady?.(worker, fields)
    },
  }
  await context.clock.refresh()
  if (!isReplay) await logClockFaults(context)
  const running = tasks(workers, isReplay).map((task) =>
    task(context).catch((error: unknown) => {
      end()
      throw error
    }),
  )
  const results = await Promise.allSettled(running)
  options.signal.removeEventListener('abort', end)
  await store.close()
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  if (connectionLoss !== undefined) throw connectionLoss
}

type Task = (context: WorkerContext) => Promise<void>

function tasks(workers: readonly WorkerName[], isReplay: boolean): Task[] {
  const wants = (name: WorkerName) => workers.includes(name)
  const list: Task[] = []
  if (isReplay && wants('feed-data')) list.push(runReplayWorker)
  else if (wants('feed-data') && wants('predict')) list.push(runFeedAndPredict)
  else if (wants('feed-data')) list.push(runFeed)
  else if (wants('predict')) list.push(runPredictWorker)
  if (wants('score')) list.push(runScoreWorker)
  if (wants('checkpoint')) list.push(runCheckpointWorker)
  if (wants('report')) list.push(runReportWorker)
  return list
}

async function runFeed(context: WorkerContext): Promise<void> {
  const beating = keepBeating(context, ['feed-data'])
  try {
    await (await openLiveFeed(context)).run()
  } finally {
    await beating.stop()
  }
}

/** Feed-data and predict in one process: records reach the models without the database. */
function runFeedAndPredict(context: WorkerContext): Promise<void> {
  return asPredictor(context, ['feed-data', 'predict'], async ({ lease, runner }) => {
    const feed = await openLiveFeed(context)
    const clockRounds = await feed.pipeline.openPredictor(runner)
    context.ready('predict', { models: runner.models().length })
    const inFlight = createInFlight(inFlightLimit)
    const feeding = Promise.all([feed.run(), runClockRounds(context, clockRounds, inFlight)])
    await Promise.race([lost(lease), feeding])
    await inFlight.drain()
  })
}
