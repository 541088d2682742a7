import { createTestDatabase } from '@crunch/embedded-postgres/test-database'
import { z } from 'zod'
import { createVirtualClock } from '../src/adapters/clock/clocks.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import type { FeedRecord, FeedScope } from '../src/domain/feed-record.ts'
import type { ModelIdentity } from '../src/domain/models/model.ts'
import { enterEra } from '../src/live/eras/enter-era.ts'
import { readSettings } from '../src/live/settings.ts'
import { startWorkers } from '../src/live/workers/start-workers.testkit.ts'
import { silentLog } from '../src/ports/log.ts'
import type { Store } from '../src/ports/store.ts'
import { btc, candle, eth, minute } from '../src/ports/store-samples.ts'
import { type Competition, candles, createOracle, createTrend, openCompetition, steady } from './competition.ts'
import { freePort } from './free-port.ts'
import { changedContract, market } from './sample-contract.ts'

/** A real report worker on PostgreSQL, over a replay that the test can continue. */
export interface ServedNode {
  /** Without a slash at its end; the same after a restart. */
  readonly url: string
  readonly store: Store
  /** Replays more minutes of the recording, and settles, ranks and pays what they make due. */
  advance(minutes: number): Promise<void>
  /** Ends the report worker; its port stays the node's. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export interface ServedNodeOptions {
  /** Nothing has been received yet. Default: 95 minutes have been replayed. */
  readonly isEmpty?: boolean
  /** Settings of the node besides its port. */
  readonly settings?: Readonly<Record<string, string>>
}

const replayedMinutes = 95
const value = z.number()
const changes = { feed: { ...market, values: z.object({ open: value, high: value, low: value, close: value }) } }
/** Minutes of the recording, whose time the node follows. */
const replay = { FEED_REPLAY_FILES: 'recording.csv', CRUNCH_ID: 'next-move' }

const names: Readonly<Record<string, Partial<ModelIdentity>>> = {
  oracle: { name: 'oracle', cruncherId: 'alice', cruncherName: 'Alice' },
  trend: { name: 'trend-follower', cruncherId: 'bob', cruncherName: 'Bob' },
  flat: { name: 'always-up', cruncherId: 'alice', cruncherName: 'Alice' },
  broken: { name: 'raises-always', cruncherId: 'carol', cruncherName: 'Carol' },
  newcomer: { name: 'contrarian', cruncherId: 'dave', cruncherName: 'Dave' },
  zero: { name: 'baseline', cruncherId: 'organizer', cruncherName: 'Organizer' },
}

const modelsFrom = (count: number) => ({
  ...{ oracle: createOracle(0.9, count), trend: createTrend(0.5), flat: steady(0.1), zero: steady(0.01) },
  broken: { predict: fail },
})

/** Starts it on a copy of a database that is filled once a run. */
export async function openServedNode({ isEmpty = false, settings = {} }: ServedNodeOptions = {}): Promise<ServedNode> {
  const template = isEmpty ? { name: 'empty_node', fill: fillNothing } : { name: 'replayed_node', fill: fillReplay }
  const database = await createTestDatabase(template)
  const port = await freePort()
  const store = await openPostgresStore({ url: database.url })
  const endings: (() => unknown)[] = [() => database.drop(), () => store.close()]
  let competition: Competition<Store> | undefined
  let count = isEmpty ? 0 : replayedMinutes
  let stop: (() => Promise<void>) | undefined
  async function start(): Promise<void> {
    stop = await startWorkers({
      workers: ['report'],
      contract: changedContract(changes),
      settings: readSettings({ ...replay, ...settings, REPORT_API_PORT: `${port}` }),
      databaseUrl: database.url,
      // Ended by `close`, before the database.
      onEnd: () => undefined,
    })
  }
  await start()
  return {
    ...{ url: `http://127.0.0.1:${port}`, store, start },
    async advance(minutes) {
      competition ??= await continueReplay(store, count)
      await playMinutes(competition, count, count + minutes)
      count += minutes
    },
    async stop() {
      await stop?.()
      stop = undefined
    },
    async close() {
      await stop?.()
      for (const end of endings.splice(0).reverse()) await end()
    },
  }
}

async function continueReplay(store: Store, count: number): Promise<Competition<Store>> {
  const models = { ...modelsFrom(count), newcomer: steady(-0.2) }
  const clock = createVirtualClock(count === 0 ? 0 : minute(count))
  return openCompetition({ store, clock, changes, models, identityOf })
}

function identityOf(id: string): ModelIdentity {
  return { id, name: id, deploymentId: `deployment-${id}`, cruncherId: id, cruncherName: id, ...names[id] }
}

async function playMinutes({ drive, pipeline }: Competition<Store>, from: number, to: number): Promise<void> {
  for (let count = from; count < to; count += 1) {
    await drive(...ohlc(count, eth), ...ohlc(count, btc))
    if ((count + 1) % 5 !== 0 && count + 1 !== to) continue
    await pipeline.settle()
    await pipeline.checkpoint()
  }
}

/** The candle of a minute with all its prices. */
function ohlc(count: number, scope: FeedScope): FeedRecord[] {
  const [close = 0, open = 0] = [count, count - 1].map((at) => candles(at, at)[0]?.values.close as number)
  const values = { open, high: Math.max(open, close) + 0.5, low: Math.min(open, close) - 0.5, close }
  return [candle(count, values, scope)]
}

async function fillNothing(url: string): Promise<void> {
  const store = await openPostgresStore({ url })
  await enter(store)
  await store.close()
}

async function fillReplay(url: string): Promise<void> {
  const store = await openPostgresStore({ url })
  await enter(store)
  const competition = await openCompetition({ store, changes, models: modelsFrom(0), identityOf })
  await playMinutes(competition, 0, 30)
  competition.runner.connect({ ...modelsFrom(30), newcomer: steady(-0.2) })
  await playMinutes(competition, 30, replayedMinutes)
  await store.close()
}

async function enter(store: Store): Promise<void> {
  const [contract, settings, clock] = [changedContract(changes), readSettings(replay), createVirtualClock(minute(0))]
  // The workers of these tests state the same code.
  await enterEra({ ...{ contract, settings, store, clock }, codeHash: 'code', log: silentLog })
  for (const scope of [btc, eth]) await store.putFeedStatus(scope, 'up', null, minute(0))
}

function fail(): never {
  throw new Error('the model is broken')
}
