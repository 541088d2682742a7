import packageJson from '../../package.json' with { type: 'json' }
import { numericFields } from '../contract/numeric-fields.ts'
import { contractFeeds, resolveContract } from '../contract/resolved-contract.ts'
import { feedScopeKey } from '../domain/feed-record.ts'
import { createReportApp } from '../report/create-report-app.ts'
import { startReportServer } from '../report/start-report-server.ts'
import { aborted } from './predict-worker.ts'
import type { WorkerContext } from './worker-context.ts'

/** Serves the API until the signal aborts. */
export async function runReportWorker(context: WorkerContext): Promise<void> {
  const { contract, settings, store, clock, log } = context
  const { newcomers, minRankCoverage, minPayCoverage, organizer } = resolveContract(
    contract,
    settings.ORGANIZER_CRUNCHER_ID,
  )
  const app = createReportApp({
    reads: store,
    probe: store.probe,
    clock,
    log,
    info: {
      crunchId: settings.CRUNCH_ID,
      crunchAddress: settings.CRUNCH_PUBKEY ?? '',
      network: settings.NETWORK,
      version: packageJson.version,
    },
    contract: {
      feeds: contractFeeds(contract).map(({ scope }) => feedScopeKey(scope)),
      windows: Object.keys(contract.leaderboard.windows),
      rankBy: contract.leaderboard.rankBy,
      direction: contract.leaderboard.direction,
      ...{ newcomers, minRankCoverage, minPayCoverage, organizer },
      value: contract.leaderboard.value,
      metrics: contract.snapshot.metrics ?? [],
      scoreFields: numericFields(contract.score.schema),
    },
  })
  const server = await startReportServer({ app, port: settings.REPORT_API_PORT })
  context.ready('report', { url: server.url })
  await aborted(context.signal)
  await server.close()
}
