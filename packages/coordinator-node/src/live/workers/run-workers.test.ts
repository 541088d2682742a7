import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMigratedDatabase } from '../../../test/migrated-database.ts'
import { pulseSource } from '../../../test/pulse-source.ts'
import { openScene, type Scene, stateOf } from '../../adapters/model-runner/grpc/testing/scene.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import { type AnyContract, defineContract, ticks, tiers } from '../../index.ts'
import { silentLog } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { readSettings } from '../settings.ts'
import { runWorkers } from './run-workers.ts'
import { startWorkers } from './start-workers.testkit.ts'
import { workerCommand } from './worker-command.ts'
import type { WorkerName } from './worker-context.ts'

const contract: AnyContract = defineContract({
  name: 'quick',
  feed: ticks({ source: 'pulse', subjects: ['A'], granularity: '100ms' }),
  input: {
    schema: z.object({ price: z.number() }),
    window: '1s',
    build: ({ records }) => ({ price: records.at(-1)?.values.price ?? 0 }),
  },
  prediction: {
    schema: z.object({ value: z.number() }),
    schedule: [
      { subject: 'A', every: '100ms', horizon: '2s' },
      { key: 'by-clock', subject: 'A', every: '200ms', horizon: '2s', on: 'clock' },
    ],
    timeout: '1500ms',
  },
  truth: {
    schema: z.object({ price: z.number() }),
    maxStaleness: '1m',
    resolve: ({ exit }) => ({ price: exit.values.price }),
  },
  score: {
    schema: z.object({ error: z.number() }),
    compute: ({ output, truth }) => ({ error: Math.abs(output.value - truth.price) }),
  },
  snapshot: { every: '1s' },
  leaderboard: { value: 'error', windows: { recent: '10s' }, rankBy: 'recent', direction: 'asc' },
  checkpoint: { every: '1s', emission: tiers() },
})

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

interface Node {
  readonly scene: Scene
  readonly store: Store
  start(workers: readonly WorkerName[], env?: Record<string, string>): Promise<() => Promise<void>>
}

async function openNode(): Promise<Node> {
  const database = await createMigratedDatabase()
  endings.push(() => database.drop())
  const scene = await openScene()
  endings.push(() => scene.close())
  const store = await openPostgresStore({ url: database.url })
  endings.push(() => store.close())
  return {
    scene,
    store,
    start: (workers, env = {}) =>
      startWorkers({
        workers,
        contract,
        settings: readSettings({
          CRUNCH_ID: 'next-move',
          MODEL_RUNNER_NODE_HOST: '127.0.0.1',
          MODEL_RUNNER_NODE_PORT: `${scene.orchestrator.port}`,
          SCORE_INTERVAL_SECONDS: '0.1',
          ...env,
        }),
        databaseUrl: database.url,
        sources: new Map([['pulse', pulseSource(50)]]),
        onEnd: (end) => endings.push(end),
      }),
  }
}

async function serveModels(scene: Scene, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const servers = await Promise.all(ids.map((id) => scene.serve({ tick: () => null, predict: () => ({ value: id }) })))
  scene.orchestrator.list(servers.map((server, index) => stateOf(`${ids[index]}`, server.port)))
}

const isOnGrid = (at: unknown) => typeof at === 'number' && at % 200 === 0

async function answeredRounds(store: Store) {
  const reports = await store.predictionReports({ modelIds: [], from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 })
  const byRound = new Map<string, string[]>()
  for (const { prediction } of reports) {
    byRound.set(prediction.roundId, [...(byRound.get(prediction.roundId) ?? []), prediction.status])
  }
  return [...byRound.values()]
}

describe('runWorkers', () => {
  test('carries records from a feed worker to a separate predict worker', async () => {
    const node = await openNode()
    await serveModels(node.scene, 2)
    await node.start(['predict'])
    await node.start(['feed-data'])
    await expect.poll(async () => (await answeredRounds(node.store)).length, { timeout: 20_000 }).toBeGreaterThan(5)
    for (const statuses of await answeredRounds(node.store)) expect(statuses).toEqual(['PENDING', 'PENDING'])
    await expect
      .poll(async () => (await node.store.lastRoundTimes()).get('by-clock'), { timeout: 20_000 })
      .toSatisfy(isOnGrid)
  })

  test('runs every worker in one process, down to a checkpoint', async () => {
    const node = await openNode()
    await serveModels(node.scene, 3)
    const stop = await node.start(['feed-data', 'predict', 'score', 'checkpoint'])
    await expect
      .poll(async () => (await node.store.checkpoints({ limit: 100 })).some((one) => one.entries.length === 3), {
        timeout: 20_000,
      })
      .toBe(true)
    const leaderboard = await node.store.latestLeaderboard()
    // Prices rise, so the highest constant answer is the best.
    expect(leaderboard?.entries.map((entry) => [entry.modelId, entry.rank])).toEqual([
      ['3', 1],
      ['2', 2],
      ['1', 3],
    ])
    await stop()
  })

  test('lets only one of two predict workers open rounds; the other one takes over', async () => {
    const node = await openNode()
    await serveModels(node.scene, 1)
    const stopFirst = await node.start(['predict'])
    const second = node.start(['predict'])
    await node.start(['feed-data'])
    await expect.poll(async () => (await answeredRounds(node.store)).length, { timeout: 20_000 }).toBeGreaterThan(2)
    await stopFirst()
    await second
    const before = (await answeredRounds(node.store)).length
    await expect
      .poll(async () => (await answeredRounds(node.store)).length, { timeout: 20_000 })
      .toBeGreaterThan(before)
    for (const statuses of await answeredRounds(node.store)) expect(statuses).toHaveLength(1)
  })

  test('ends all workers with the error of the first one that fails', async () => {
    const node = await openNode()
    const holder = createServer().listen(0, '127.0.0.1')
    endings.push(() => holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    await expect(node.start(['score', 'report'], { REPORT_API_PORT: `${port}` })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    })
  })

  test('reports no worker as ready after it has been ended', async () => {
    const database = await createMigratedDatabase()
    endings.push(() => database.drop())
    const ending = new AbortController()
    const ready: WorkerName[] = []
    await runWorkers({
      workers: ['predict'],
      contract,
      // No orchestrator listens there, so the worker waits for its models until it is ended.
      settings: readSettings({ MODEL_RUNNER_NODE_HOST: '127.0.0.1', MODEL_RUNNER_NODE_PORT: '1' }),
      databaseUrl: database.url,
      codeHash: 'code',
      log: { ...silentLog, warn: () => ending.abort() },
      signal: ending.signal,
      onReady: (worker) => ready.push(worker),
    })
    expect(ready).toEqual([])
  })
})

describe('crunch-worker', () => {
  async function openWorker(worker: WorkerName, contractUrl: URL) {
    const database = await createMigratedDatabase()
    endings.push(() => database.drop())
    const { command, args } = workerCommand([worker])
    return (env: Record<string, string>) =>
      spawn(command, [...args, '--contract', contractUrl.pathname], {
        env: { PATH: process.env.PATH, DATABASE_URL: database.url, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
  }

  test('exits with 0 on SIGTERM, and with 2 on invalid settings', async () => {
    const start = await openWorker('score', new URL('../../../test/sample-contract-file.ts', import.meta.url))
    const worker = start({})
    const exited = once(worker, 'exit')
    for await (const line of createInterface({ input: worker.stdout })) {
      if ((JSON.parse(line) as { event?: string }).event === 'ready') break
    }
    worker.kill('SIGTERM')
    expect((await exited)[0]).toBe(0)

    const misled = start({ FEED_SUBJECT: 'A' })
    const output: string[] = []
    misled.stdout.on('data', (chunk) => output.push(String(chunk)))
    expect((await once(misled, 'exit'))[0]).toBe(2)
    expect(output.join('')).toContain('did you mean FEED_SUBJECTS?')
  })

  test('exits with 0 on SIGTERM despite a source that ignores it, and logs the unfinished work', async () => {
    const start = await openWorker(
      'feed-data',
      new URL('../../../test/hanging-source-contract-file.ts', import.meta.url),
    )
    const worker = start({})
    endings.push(() => worker.kill('SIGKILL'))
    const exited = once(worker, 'exit')
    const messages: string[] = []
    for await (const line of createInterface({ input: worker.stdout })) {
      const { event, msg } = JSON.parse(line) as { event?: string; msg: string }
      messages.push(msg)
      if (event === 'ready') worker.kill('SIGTERM')
    }
    expect((await exited)[0]).toBe(0)
    expect(messages.at(-1)).toBe('work was still in progress at exit; the next start recovers it')
  })
})
