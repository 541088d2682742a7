import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { modelRunnerCommand } from '@crunch/model-runner'
import { DEPLOYED_RUNNER, pythonOrReason } from '@crunch/python-peers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openScene, stateOf } from '../src/adapters/model-runner/grpc/testing/scene.ts'
import { openPostgresStore } from '../src/adapters/store/postgres/postgres-store.ts'
import { workerCommand } from '../src/live/workers/worker-command.ts'
import type { WorkerName } from '../src/live/workers/worker-context.ts'
import type { Store } from '../src/ports/store.ts'
import { createMigratedDatabase } from './migrated-database.ts'

// A predict worker is stopped while it calls a model. The model waits until the truth is known, and then answers.

const contractPath = new URL('./short-horizon-contract-file.ts', import.meta.url).pathname

const python = `
import os, time
from tracker import TrackerBase

class Model(TrackerBase):
    def tick(self, data):
        pass

    def predict(self, subject, horizon, step):
        open("asked", "a").close()
        while os.path.exists("hold"):
            time.sleep(0.01)
        made_at = time.time() * 1000
        open("answered", "a").close()
        return {"madeAt": made_at}
`

const javascript = `
import { existsSync, writeFileSync } from 'node:fs'
import { TrackerBase } from './tracker.mjs'
export { TrackerBase }

export class Model extends TrackerBase {
  tick() {}
  async predict() {
    writeFileSync('asked', '')
    while (existsSync('hold')) await new Promise((resolve) => setTimeout(resolve, 10))
    const madeAt = Date.now()
    writeFileSync('answered', '')
    return { madeAt }
  }
}
`

let environment: Awaited<ReturnType<typeof pythonOrReason>>
beforeAll(async () => {
  environment = await pythonOrReason(DEPLOYED_RUNNER)
}, 400_000)

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  endings.push(async () => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await exited
  })
  return child
}

/** A node of real processes: feed and score workers in one, the predict worker in another, and one model. */
async function startNode(
  files: Readonly<Record<string, string>>,
  command: string,
  args: readonly string[],
  base: string,
) {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-stalled-'))
  endings.push(() => rm(folder, { recursive: true }))
  const hold = join(folder, 'hold')
  for (const [name, text] of Object.entries({ ...files, hold: '' })) await writeFile(join(folder, name), text)
  const socket = `unix:${join(folder, 's')}`
  start(command, [...args, '--code-directory', folder, '--address', `${socket}:1`], folder, { PYTHONUNBUFFERED: '1' })
  const database = await createMigratedDatabase()
  endings.push(() => database.drop())
  const scene = await openScene()
  endings.push(() => scene.close())
  scene.orchestrator.list([stateOf('attacker', 1, { ip: socket })])
  const store = await openPostgresStore({ url: database.url })
  endings.push(() => store.close())
  const startWorkers = (...workers: readonly WorkerName[]) => {
    const { command: node, args: program } = workerCommand(workers)
    return start(node, [...program, '--contract', contractPath], folder, {
      CRUNCH_ID: 'short-horizon',
      DATABASE_URL: database.url,
      MODEL_RUNNER_NODE_HOST: '127.0.0.1',
      MODEL_RUNNER_NODE_PORT: `${scene.orchestrator.port}`,
      MODEL_BASE_CLASSNAME: base,
      SCORE_INTERVAL_SECONDS: '0.1',
    })
  }
  startWorkers('feed-data', 'score')
  return { store, predict: startWorkers('predict'), folder, hold }
}

async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(10)
}

const rowsOf = async (store: Store) =>
  (await store.predictionReports({ modelIds: [], from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 })).map(
    ({ prediction, score }) => ({
      ...prediction,
      madeAt: (prediction.output as { madeAt: number } | null)?.madeAt,
      score,
    }),
  )

/** The model answers the first round once its truth is known, while the predict worker is stopped. */
async function attack({ store, predict, folder, hold }: Awaited<ReturnType<typeof startNode>>) {
  // The model is called while the round is being written.
  await waitFor(async () => existsSync(join(folder, 'asked')) && (await store.unansweredRounds()).length > 0)
  predict.kill('SIGSTOP')
  const [round] = await store.unansweredRounds()
  if (round === undefined) throw new Error('no round waits for answers')
  await waitFor(async () => ((await store.feedStates())[0]?.watermarkAt ?? 0) > round.resolvableAt)
  await rm(hold)
  await waitFor(() => existsSync(join(folder, 'answered')))
  // The answer is in the socket buffer of the stopped process.
  await setTimeout(200)
  predict.kill('SIGCONT')
  // The round is settled, and later rounds are answered normally.
  await waitFor(async () => (await rowsOf(store)).some(({ status }) => status === 'SCORED'))
  const rows = await rowsOf(store)
  const [attacked] = rows.filter(({ roundId }) => roundId === round.id)
  return { rows, attacked }
}

describe('a model that answers a stopped predict worker when the truth is known', () => {
  const runners: Record<string, () => Promise<Awaited<ReturnType<typeof startNode>> | undefined>> = {
    async Python() {
      if ('reason' in environment) return undefined
      const files = { 'main.py': python, 'tracker.py': 'class TrackerBase:\n    pass\n' }
      return startNode(files, environment.python, ['-m', 'model_runner.server'], 'tracker.TrackerBase')
    },
    TypeScript() {
      const { command, args } = modelRunnerCommand()
      const files = { 'main.mjs': javascript, 'tracker.mjs': 'export class TrackerBase {}\n' }
      return startNode(files, command, args, 'main.TrackerBase')
    },
  }

  it.for(Object.keys(runners))(
    'is absent with blame on the coordinator, and has no score: %s',
    { timeout: 60_000 },
    async (name, context) => {
      const node = await runners[name]!()
      if (node === undefined) return context.skip('reason' in environment ? environment.reason : '')
      const { rows, attacked } = await attack(node)
      expect(attacked).toMatchObject({
        status: 'ABSENT',
        reason: 'coordinator_stalled',
        blame: 'coordinator',
        output: null,
        score: null,
      })
      // Every accepted answer was made before its truth could be known.
      for (const { madeAt, resolvableAt } of rows) if (madeAt !== undefined) expect(madeAt).toBeLessThan(resolvableAt)
    },
  )
})
