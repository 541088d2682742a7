import { join } from 'node:path'
import { wait } from '@crunch/local-processes'
import packageJson from '../../../package.json' with { type: 'json' }
import { resolveContract } from '../../contract/resolved-contract.ts'
import { createReportApp } from '../../report/create-report-app.ts'
import type { ReportApp } from '../../report/http/mount-routes.ts'
import type { BackfillRequests, ReportInfo } from '../../report/report-context.ts'
import { type ReportServer, startReportServer } from '../../report/start-report-server.ts'
import { openDataFiles } from '../backfill/data-files.ts'
import { type CustomRoutes, loadCustomRoutes } from '../custom-routes.ts'
import { type ProgressWatch, watchProgress } from '../health/watch-progress.ts'
import { modelLinesOf } from '../model-lines.ts'
import { orchestratorKeyOf } from '../orchestrator-key.ts'
import { payeesOf } from '../payees.ts'
import { openPayouts } from '../payouts/open-payouts.ts'
import { createCheckpointPreview } from '../payouts/preview-checkpoint.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { reportAccess } from '../report-access.ts'
import { reportContract } from '../report-contract.ts'
import { clockToleranceMs, type Settings } from '../settings.ts'
import { aborted } from './predict-worker.ts'
import { workIntervalMs } from './settle-workers.ts'
import type { WorkerContext } from './worker-context.ts'

/** Serves the API until the signal aborts. */
export async function runReportWorker(context: WorkerContext): Promise<void> {
  const { contract, settings, store, clock, log } = context
  const watch = openWatch(context)
  const apps = await loadCustomRoutes(context.contractFolder)
  // Where crunch backfill writes unless told otherwise.
  const dataFolder = join(context.contractFolder, 'data', 'backfill')
  const entered = await enteredEra(context)
  const app = createReportApp({
    reads: store,
    probe: store.probe,
    clock,
    log,
    progress: watch.latest,
    live: { subscribeChanges: store.subscribeChanges, stopping: context.signal },
    info: {
      crunchId: settings.CRUNCH_ID,
      crunchAddress: settings.CRUNCH_PUBKEY ?? '',
      network: settings.NETWORK,
      version: packageJson.version,
      ...entered,
    },
    previewCheckpoint: createCheckpointPreview({
      resolved: resolveContract(contract, settings.ORGANIZER_CRUNCHER_ID, context.era),
      ...{ store, clock, payees: payeesOf(settings), monotonicMs: () => performance.now() },
    }),
    modelLines: modelLinesOf(settings, orchestratorKeyOf(settings, log, 'logs of models cannot be read')),
    ...(settings.SERVICE_LOG_DIRECTORY !== undefined && { logDirectory: settings.SERVICE_LOG_DIRECTORY }),
    dataFiles: openDataFiles(dataFolder),
    ...(settings.FEED_REPLAY_FILES === undefined && { backfills: requestsOf(context, dataFolder) }),
    custom: { apps, variables: { contract, reads: store } satisfies CustomRoutes['Variables'] },
    payouts: await openPayouts(store, settings, context.contractFolder, context.log),
    access: reportAccess(settings, log),
    contract: reportContract(contract, settings.ORGANIZER_CRUNCHER_ID),
  })
  const servers = await startServers(app, settings)
  context.ready('report', { url: servers[0].url })
  const watching = keepLooking(context, watch)
  await aborted(context.signal)
  await watching
  await Promise.all(servers.map((server) => server.close()))
}

/** The same app on one or two ports. */
async function startServers(app: ReportApp, settings: Settings): Promise<readonly [ReportServer, ...ReportServer[]]> {
  const { REPORT_API_PORT: port, REPORT_UI_PORT: pagePort, REPORT_API_HOST: host } = settings
  const server = await startReportServer({ app, port, host })
  if (pagePort === undefined) return [server]
  try {
    return [server, await startReportServer({ app, port: pagePort, host, portSetting: 'REPORT_UI_PORT' })]
  } catch (error) {
    await server.close()
    throw error
  }
}

function requestsOf({ contract, store }: WorkerContext, directory: string): BackfillRequests {
  const sources = [...new Set(resolveContract(contract).feeds.map(({ scope }) => scope.source))]
  const { addBackfillJob, moveBackfillJob } = store
  return { addBackfillJob, moveBackfillJob, directory, sources }
}

/** Read once, because era and code cannot change while this process runs. */
async function enteredEra({ store, era }: WorkerContext): Promise<Pick<ReportInfo, 'era' | 'contractVersion'>> {
  const [eras, versions] = await Promise.all([store.eras(), store.contractVersions()])
  const entered = eras.find(({ number }) => number === era.number)
  const contractVersion = versions.find(({ number }) => number === era.contractVersion)
  if (entered === undefined || contractVersion === undefined) {
    throw new Error(
      `the store does not know era ${era.number} with version ${era.contractVersion}, which it has entered`,
    )
  }
  return { era: entered, contractVersion }
}

const lookEveryMs = 5_000
/** Shorter in a replay, which can pass hours within a second. */
const lookEveryInReplayMs = 1_000

function openWatch(context: WorkerContext): ProgressWatch {
  const { contract, settings, store, clock, log } = context
  const isReplay = settings.FEED_REPLAY_FILES !== undefined
  const speed = settings.FEED_REPLAY_SPEED === 'max' ? Number.POSITIVE_INFINITY : settings.FEED_REPLAY_SPEED
  return watchProgress({
    ...{ clock, log },
    grid: {
      ...{ ...resolveContract(contract), ...pipelineOptions(context) },
      ...{ workEveryMs: workIntervalMs(context), isReplay },
    },
    reads: store,
    // The duration of a query must not count as clock skew.
    toleranceMs: Math.max(1_000, clockToleranceMs(settings)),
    speed: isReplay ? speed : 1,
    monotonicMs: () => performance.now(),
  })
}

/** Checks the pipeline until the signal aborts. A database that does not answer is reported by health itself. */
async function keepLooking({ settings, log, signal }: WorkerContext, watch: ProgressWatch): Promise<void> {
  const everyMs = settings.FEED_REPLAY_FILES === undefined ? lookEveryMs : lookEveryInReplayMs
  let isReported = false
  while (!signal.aborted) {
    try {
      await watch.look()
      isReported = false
    } catch (error) {
      if (!isReported) log.warn('the state of the pipeline cannot be read', { stage: 'report', reason: String(error) })
      isReported = true
    }
    await wait(everyMs, signal)
  }
}
