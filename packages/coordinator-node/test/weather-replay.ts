import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVirtualClock } from '../src/adapters/clock/clocks.ts'
import { createInProcessRunner } from '../src/adapters/model-runner/in-process/in-process-runner.ts'
import { createMemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import { contractFeeds } from '../src/contract/resolved-contract.ts'
import type { Model } from '../src/domain/models/model.ts'
import type { Instant } from '../src/domain/time.ts'
import { createPayouts } from '../src/live/payouts/create-payouts.ts'
import { reportContract } from '../src/live/report-contract.ts'
import { createPipeline } from '../src/pipeline.ts'
import { silentLog } from '../src/ports/log.ts'
import { contractRecording } from '../src/recording/contract-recording.ts'
import { driveBatch } from '../src/recording/drive-recording.ts'
import { createReportApp } from '../src/report/create-report-app.ts'
import type { ReportApp } from '../src/report/http/mount-routes.ts'
import { openPack, type PackWorkspace } from './pack-contract.ts'

/** Until the first checkpoint. */
const recordedDays = 362
const organizer = 'organizer'
const models = { 1: 'Persistence', 2: 'SevenDayMean', 3: 'Trend', 4: 'Overconfident', 5: 'Climatology' }

export interface WeatherReplay {
  readonly workspace: PackWorkspace
  readonly app: ReportApp
  /** The end of the replay. */
  readonly now: Instant
}

/** The API over a replay of the weather competition with its models, in this process, until its first checkpoint. */
export async function replayWeather(): Promise<WeatherReplay> {
  const workspace = await openPack('weather')
  const { contract, challenge, nodeFolder } = workspace
  const recording = join(nodeFolder, 'recordings/weather.csv')
  const lines = (await readFile(recording, 'utf8')).split('\n')
  await writeFile(recording, `${lines.slice(0, 1 + 2 * recordedDays).join('\n')}\n`)
  const [store, clock] = [createMemoryStore(), createVirtualClock()]
  const pipeline = createPipeline(contract, { store, clock, log: silentLog }, { organizerCruncherId: organizer })
  const rounds = await pipeline.openPredictor(runnerOf(challenge))
  const scopes = contractFeeds(contract).map(({ scope }) => scope)
  const source = contractRecording(contract, [recording])
  let batches = 0
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) {
    await driveBatch(pipeline, rounds, clock, batch)
    batches += 1
    if (batches % 5 > 0) continue
    await pipeline.settle()
    await pipeline.checkpoint()
  }
  await pipeline.settle()
  await pipeline.checkpoint()
  const now = clock.now()
  for (const scope of scopes) await store.putFeedStatus(scope, 'up', null, now)
  const registry = { place: 'crunchers.json', accounts: async (all: readonly Model[]) => accountsOf(all) }
  const app = createReportApp({
    ...{ reads: store, clock, contract: reportContract(contract, organizer) },
    payouts: createPayouts({ store, registry, chain: null, crunch: 'weather', now: () => now }),
    info: {
      ...{ crunchId: 'weather', crunchAddress: '', network: 'devnet', version: '1.2.3' },
      era: { number: 1, beganAt: 0 },
      contractVersion: { number: 1, hash: 'c0de', era: 1, firstSeenAt: 0 },
    },
  })
  return { workspace, app, now }
}

function runnerOf(challenge: PackWorkspace['challenge']) {
  return createInProcessRunner(
    Object.entries(models).map(([id, name]) => {
      const cruncherId = name === 'Climatology' ? organizer : `cruncher-${id}`
      const identity = { id, name: name.toLowerCase(), deploymentId: `d${id}`, cruncherId, cruncherName: cruncherId }
      return { identity, model: new (challenge[name] as new () => object)() }
    }),
  )
}

function accountsOf(all: readonly Model[]) {
  return new Map(all.map(({ cruncherId }, index) => [cruncherId, { wallet: `wallet ${index}`, onchainIndex: index }]))
}
