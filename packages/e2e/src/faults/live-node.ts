import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres, stopEmbeddedPostgres } from '@crunch/embedded-postgres'
import type postgres from 'postgres'
import { type SocketProxy, startSocketProxy } from '../../../coordinator-node/test/socket-proxy.ts'
import { connectDatabase, type Node, openNode } from '../deployment.ts'
import { changeContract, keepModels } from '../edit-workspace.ts'
import { type SecondMarket, startSecondMarket } from '../second-market.ts'
import { takeTestWorkspace } from '../test-workspace.ts'
import { createModelRelays, type ModelRelays } from './model-relays.ts'
import { secondsChanges } from './seconds-contract.ts'

/** A live deployment on one-second candles, in which every connection and clock can be made to fail. */
export interface LiveNode {
  readonly node: Node
  readonly market: SecondMarket
  readonly proxies: { readonly database: SocketProxy; readonly discovery: SocketProxy; readonly models: ModelRelays }
  /** The folder of the PostgreSQL server. */
  readonly databaseDirectory: string
  /** Number of current faults that keep the server down. */
  readonly outages: { count: number }
  /** Connected directly to the server, bypassing the proxy; reconnects by itself. */
  readonly sql: postgres.Sql
  deploy(): Promise<void>
  startDatabase(): Promise<void>
  /** Clock offset of all processes of the node, in libfaketime's format: `+0`, `-2h`. */
  setClock(offset: string): Promise<void>
  close(): Promise<void>
}

/** Deploys the realtime pack with a horizon of seconds, behind proxies and under libfaketime. */
export async function openLiveNode(libfaketime: string): Promise<LiveNode> {
  const endings: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of endings.splice(0).reverse()) await end()
  }
  try {
    return await open(libfaketime, endings, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function open(libfaketime: string, endings: (() => Promise<unknown>)[], close: () => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-faults-'))
  endings.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const market = await startSecondMarket()
  endings.push(() => market.close())
  const workspace = await takeTestWorkspace('realtime')
  endings.push(() => workspace.remove())
  const node = await openNode(workspace)
  await keepModels(node.directory, ['momentum', 'flat', 'coin'])
  await changeContract(node.directory, secondsChanges)

  const databaseDirectory = join(folder, 'postgres')
  // With fsync, because committed data must survive kills.
  const server: EmbeddedPostgres = await startEmbeddedPostgres({ directory: databaseDirectory, detached: true })
  endings.push(() => stopEmbeddedPostgres(databaseDirectory))
  const sql = connectDatabase(server.url)
  endings.push(() => sql.end({ timeout: 1 }))
  const database = await startSocketProxy(
    { host: '127.0.0.1', port: server.port, noDelay: true },
    { host: '127.0.0.1', port: 0 },
  )
  endings.push(() => database.close())
  const models = createModelRelays()
  endings.push(() => models.close())
  // The orchestrator listens on the same port of 127.0.0.1.
  const discovery = await startSocketProxy(
    { host: '127.0.0.1', port: node.modelRunnerPort, noDelay: true },
    { host: '::1', port: node.modelRunnerPort },
    models.place,
  )
  endings.push(() => discovery.close())

  const clock = join(folder, 'clock')
  const setClock = async (offset: string) => {
    await writeFile(`${clock}.new`, offset)
    await rename(`${clock}.new`, clock)
  }
  await setClock('+0')
  const databaseUrl = new URL(server.url)
  databaseUrl.port = String(database.port)
  const env = {
    DATABASE_URL: databaseUrl.href,
    FEED_BINANCE_REST_URL: market.exchange.restUrl,
    FEED_BINANCE_STREAM_URL: market.exchange.streamUrl,
    FEED_BACKFILL_MINUTES: '5',
    SCORE_INTERVAL_SECONDS: '1',
    MODEL_RUNNER_NODE_HOST: '::1',
    LD_PRELOAD: libfaketime,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  return {
    ...{ node, market, proxies: { database, discovery, models }, databaseDirectory, sql, setClock, close },
    outages: { count: 0 },
    async deploy() {
      const { exitCode, stdout, stderr } = await node.crunch(['deploy', '--detach'], env)
      if (exitCode !== 0) throw new Error(`crunch deploy ended with ${exitCode}:\n${stdout}\n${stderr}`)
    },
    async startDatabase() {
      await startEmbeddedPostgres({ directory: databaseDirectory, port: server.port, detached: true })
    },
  }
}
