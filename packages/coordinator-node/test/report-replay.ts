import { fileURLToPath } from 'node:url'
import { createMemoryStore, type MemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import type { Model } from '../src/domain/models/model.ts'
import { createPayouts } from '../src/live/payouts/create-payouts.ts'
import { createCheckpointPreview } from '../src/live/payouts/preview-checkpoint.ts'
import { reportContract } from '../src/live/report-contract.ts'
import { backfillJob, btc, minute } from '../src/ports/store-samples.ts'
import type { AccessSettings } from '../src/report/access/access-settings.ts'
import { createReportApp } from '../src/report/create-report-app.ts'
import type { DataFiles } from '../src/report/data-files.ts'
import type { ReportApp } from '../src/report/http/mount-routes.ts'
import { fromHere } from '../src/report/report-app.testkit.ts'
import { candles, createOracle, createTrend, openCompetition, steady } from './competition.ts'
import { changedContract, resolvedContract } from './sample-contract.ts'

export interface ReportReplay {
  readonly store: MemoryStore
  readonly app: ReportApp
  /** The JSON of a path, with any status. */
  get<Body = Record<string, unknown>[]>(path: string): Promise<{ readonly status: number; readonly body: Body }>
}

/**
 * The API over a competition of 95 minutes: an oracle, a trend follower, a constant one, an ensemble, one that joins after half an hour,
 * and one that throws. Three checkpoints are closed; the last five rounds wait for their truth.
 */
export async function replayReport(access: AccessSettings = {}): Promise<ReportReplay> {
  const store = createMemoryStore()
  const at = minute(0)
  const era = { competition: { crunchId: 'next-move', name: 'next-move' }, structure: { value: 'one' } }
  await store.enterEra({ ...era, fingerprint: 'one', codeHash: 'c0de', at })
  const models = {
    ...{ oracle: createOracle(0.9), trend: createTrend(0.5), flat: steady(0.1), broken: { predict: fail } },
    __ensemble_main__: steady(0.2),
  }
  const { drive, pipeline, runner, clock } = await openCompetition({ store, models })
  for (let count = 0; count < 95; count += 5) {
    await drive(...candles(count, count + 4))
    if (count === 30) runner.connect({ ...models, newcomer: steady(-0.2) })
    await pipeline.settle()
    await pipeline.checkpoint()
  }
  await store.putFeedStatus(btc, 'up', null, at)
  await store.addBackfillJob({
    ...backfillJob('job-1'),
    status: 'running',
    cursor: minute(5),
    recordCount: 5,
    pageCount: 1,
  })
  const wallets = (crunchers: readonly { readonly cruncherId: string }[]) =>
    crunchers.map(
      ({ cruncherId }, index) => [cruncherId, { wallet: `wallet of ${cruncherId}`, onchainIndex: index }] as const,
    )
  const registry = { place: 'crunchers.json', accounts: async (all: readonly Model[]) => new Map(wallets(all)) }
  const payouts = createPayouts({ store, registry, chain: null, crunch: 'next-move', now: () => minute(100) })
  const file = { scope: btc, name: '2026-03-01.parquet', sizeBytes: 51_234, recordCount: 1_440 }
  const dataFiles: DataFiles = {
    list: async () => [file],
    open: async (_, name) => (name === file.name ? { sizeBytes: 4, bytes: new Blob(['PAR1']).stream() } : null),
  }
  const app = createReportApp({
    access,
    payouts,
    previewCheckpoint: createCheckpointPreview({
      ...{ resolved: resolvedContract(), store, clock, monotonicMs: () => 0 },
      payees: { crunch: 'next-move', computeProvider: null, dataProvider: null },
    }),
    dataFiles,
    backfills: { ...store, directory: '/node/data/backfill', sources: ['binance'] },
    reads: store,
    // A stream gives its opening and ends.
    live: { ...store, stopping: AbortSignal.abort() },
    clock,
    modelLines: async () => ['hello', 'world'],
    logDirectory: fileURLToPath(new URL('./service-logs', import.meta.url)),
    contract: reportContract(changedContract({}), 'organizer'),
    info: {
      ...{ crunchId: 'next-move', crunchAddress: '', network: 'devnet', version: '1.2.3' },
      era: { number: 1, beganAt: at },
      contractVersion: { number: 1, hash: 'c0de', era: 1, firstSeenAt: at },
    },
  })
  return {
    store,
    app,
    async get<Body>(path: string) {
      const response = await app.request(path, fromHere.init, fromHere.env)
      return { status: response.status, body: (await response.json()) as Body }
    },
  }
}

function fail(): never {
  throw new Error('the model is broken')
}
