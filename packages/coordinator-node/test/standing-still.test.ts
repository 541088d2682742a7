import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { openScene, stateOf } from '../src/adapters/model-runner/grpc/testing/scene.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import { workerCommand } from '../src/live/workers/worker-command.ts'
import type { WorkerName } from '../src/live/workers/worker-context.ts'
import { minute } from '../src/ports/store-samples.ts'
import { freePort } from './free-port.ts'
import { createMigratedDatabase } from './migrated-database.ts'

// Real workers, each in its own process, on a real PostgreSQL. Health must show every stopped worker.

const contractPath = new URL('./pulse-contract-file.ts', import.meta.url).pathname
const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

interface Health {
  readonly status: string
  readonly reasons: readonly string[]
  readonly standing_still: readonly { readonly stage: string; readonly what: string; readonly held_up_by: string }[]
}

async function openNode() {
  const database = await createMigratedDatabase()
  endings.push(() => database.drop())
  const scene = await openScene()
  endings.push(() => scene.close())
  const server = await scene.serve({ tick: () => null, predict: () => ({ value: 0.5 }) })
  scene.orchestrator.list([stateOf('1', server.port)])
  const port = await freePort()
  return {
    database,
    /** Resolves once the worker is ready. `clock` is a libfaketime offset such as `-2h`. */
    async start(
      worker: WorkerName,
      clock?: { readonly library: string; readonly offset: string },
    ): Promise<ChildProcess> {
      const { command, args } = workerCommand([worker])
      const child = spawn(command, [...args, '--contract', contractPath], {
        env: {
          PATH: process.env.PATH,
          DATABASE_URL: database.url,
          CRUNCH_ID: 'next-move',
          MODEL_RUNNER_NODE_HOST: '127.0.0.1',
          MODEL_RUNNER_NODE_PORT: `${scene.orchestrator.port}`,
          REPORT_API_PORT: `${port}`,
          SCORE_INTERVAL_SECONDS: '1',
          ...(clock && { LD_PRELOAD: clock.library, FAKETIME: clock.offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      endings.push(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      })
      for await (const line of createInterface({ input: child.stdout })) {
        if (line.includes('"event":"ready"')) break
      }
      child.stdout.resume()
      return child
    },
    async health(): Promise<Health> {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(10_000) })
      return (await response.json()) as Health
    },
  }
}

/** Only a safety net: each alarm has its own delay, and a busy machine adds to it. */
const patience = { timeout: 240_000, interval: 500 }

describe('a node whose workers are stopped', () => {
  test('reports each worker and what waits for it, and is ok again once they continue', async () => {
    const node = await openNode()
    await node.start('report')
    const [, predict, score, checkpoint] = await Promise.all(
      (['feed-data', 'predict', 'score', 'checkpoint'] as const).map((name) => node.start(name)),
    )
    const store = await openPostgresStore({ url: node.database.url })
    endings.push(() => store.close())
    // A worker is missed once it has sent a heartbeat, and a board once there are models and rounds.
    await expect.poll(() => store.lastPeriodEnd(), patience).not.toBeNull()
    const beating = async () => (await store.pipelineProgress(Date.now())).heartbeats.map(({ worker }) => worker)
    await expect.poll(beating, patience).toEqual(['checkpoint', 'feed-data', 'predict', 'score'])
    await expect.poll(async () => (await node.health()).status, patience).toBe('ok')
    score?.kill('SIGSTOP')
    // A round that only the stopped worker could settle: it is answered, and its truth comes later.
    const from = Date.now()
    const answered = () => store.predictionReports({ modelIds: [], from, to: Number.MAX_SAFE_INTEGER, limit: 1 })
    await expect.poll(answered, patience).toHaveLength(1)
    predict?.kill('SIGSTOP')
    checkpoint?.kill('SIGSTOP')
    const standing = async () => (await node.health()).standing_still.map(({ stage, what }) => `${stage}: ${what}`)
    await expect
      .poll(standing, patience)
      .toEqual(
        expect.arrayContaining([
          'score: the score worker sends no heartbeat',
          'checkpoint: the checkpoint worker sends no heartbeat',
          'prediction: the predict worker sends no heartbeat',
          'prediction: no round of "A-1s" opens, although its feed is fresh',
          expect.stringMatching(/^score: \d+ rounds? of "A-1s" could be settled, but are not/),
          expect.stringMatching(/^snapshot: the leaderboard stands still/),
        ]),
      )
    expect((await node.health()).status).toBe('degraded')
    // A predict worker that was stopped for this long has lost its lease and exits; its supervisor would start another.
    predict?.kill('SIGKILL')
    score?.kill('SIGCONT')
    checkpoint?.kill('SIGCONT')
    await node.start('predict')
    await expect.poll(async () => (await node.health()).reasons, patience).toEqual([])
  }, 600_000)
})

const library = findLibfaketime()
const isCi = process.env.CI === 'true'

describe.skipIf(library === undefined && !isCi)('a clock two hours back (needs libfaketime)', () => {
  test('is reported by the node with that clock, and by its feed worker', async () => {
    if (library === undefined) throw new Error('libfaketime is missing: apt-get install libfaketime')
    const node = await openNode()
    const store = await openPostgresStore({ url: node.database.url })
    endings.push(() => store.close())
    const scope = { source: 'pulse', subject: 'A', kind: 'tick', granularity: '1s' }
    const now = Date.now()
    await store.ensureFeeds([scope], minute(0))
    await store.appendRecords([{ ...scope, eventAt: now, knownAt: now, receivedAt: now, values: { price: 1 } }])
    await store.putFeedStatus(scope, 'up', null, now)
    const clock = { library, offset: '-2h' }
    await Promise.all([node.start('report', clock), node.start('feed-data', clock)])
    await expect
      .poll(async () => (await node.health()).reasons, patience)
      .toEqual(
        expect.arrayContaining([
          expect.stringMatching(
            /^feed pulse:A:tick:1s is suspect .*(clock of this node is .* behind|behind the newest)/,
          ),
          expect.stringMatching(/^this machine's clock is (2 h|1 h 59 min) behind the newest record.*NTP/),
          expect.stringMatching(/^this machine's clock is (2 h|1 h 59 min) behind that of the database server/),
        ]),
      )
    expect((await node.health()).status).toBe('degraded')
  }, 300_000)
})

function findLibfaketime(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  return folders.map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`).find((path) => existsSync(path))
}
