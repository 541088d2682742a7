import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { builtFile } from '@crunch/local-processes'
import { pythonIsMissing, TEST_ENVIRONMENTS } from '@crunch/python-peers'
import { beforeEach, describe, expect, it } from 'vitest'
import { connectModel } from '../test/call-model.ts'
import { entry, useWorkspace } from '../test/start-in-workspace.ts'
import { connectDiscovery, isAlive, until } from '../test/workspace.ts'
import type { Orchestrator } from './start-orchestrator.ts'

const INSTALL_LIMIT_MS = 600_000

const TRACKER = `
class TrackerBase:
    def tick(self, data):
        raise NotImplementedError()
    def predict(self, **kwargs):
        raise NotImplementedError()
`

const SUM_MODEL = `
import os
from concurrent.futures import ProcessPoolExecutor
from tracker import TrackerBase

def forks():
    dead = 0
    for _ in range(30):
        child = os.fork()
        if child == 0:
            os._exit(0)
        dead += os.waitpid(child, 0)[1] != 0
    with ProcessPoolExecutor(2) as pool:
        return {"dead": dead, "sum": sum(pool.map(abs, (-1, -2)))}

class SumModel(TrackerBase):
    def __init__(self):
        self.total = 0.0
        print("made with", os.environ.get("MODEL_BASE_CLASSNAME"), os.environ.get("SECRET_OF_THE_NODE"))

    def tick(self, data):
        self.total += data["price"]

    def predict(self, asset, horizon):
        if asset == "FORKS":
            return forks()
        if asset == "BROKEN":
            raise ValueError("no such asset in " + __name__)
        return {"value": self.total, "asset": asset, "horizon": horizon}
`

const { space, cleanups, ...used } = useWorkspace()
let pythonPath: string

beforeEach(async () => {
  pythonPath = join(space.root, 'challenge', 'python', 'src')
  await write(join(pythonPath, 'tracker.py'), TRACKER)
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function start(): Promise<Orchestrator> {
  return used.start({
    runnerCommand: undefined,
    python: { environmentsDirectory: TEST_ENVIRONMENTS, path: [pythonPath] },
    confinement: { network: 'host' },
  })
}

async function untilServing(orchestrator: Orchestrator, id: string): Promise<{ port: number; pid: number }> {
  return until(
    `model ${id} serves`,
    () => {
      const model = orchestrator.models().find((one) => one.id === id)
      if (model?.lastFailure) throw new Error(model.lastFailure.reason)
      const { port = null, pid = null } = model ?? {}
      return model?.state === 'RUNNING' && port !== null && pid !== null ? { port, pid } : null
    },
    INSTALL_LIMIT_MS,
  )
}

const missing = pythonIsMissing()

describe.skipIf(missing !== null)(
  `Python models, with the real runner${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it(
      'are installed, served and called; their stack traces go to their logs',
      async () => {
        process.env.SECRET_OF_THE_NODE = 'hidden'
        cleanups.push(() => delete process.env.SECRET_OF_THE_NODE)
        await write(join(space.submissions, 'sum', 'main.py'), SUM_MODEL)
        await write(join(space.submissions, 'other', 'main.py'), SUM_MODEL)
        await space.models([entry('1', 'sum'), entry('2', 'other')])
        const orchestrator = await start()
        const coordinator = await connectDiscovery(orchestrator.port)
        cleanups.push(() => coordinator.close())
        const [one, two] = await Promise.all([untilServing(orchestrator, '1'), untilServing(orchestrator, '2')])
        const model = connectModel(one.port)
        const other = connectModel(two.port)
        cleanups.push(model.close, other.close)

        expect((await model.setup('tracker.TrackerBase')).status).toMatchObject({ code: 'SUCCESS' })
        expect((await other.setup('tracker.TrackerBase')).status).toMatchObject({ code: 'SUCCESS' })
        for (const price of [1.5, 2]) {
          expect(await model.call('tick', [{ type: 'JSON', value: { price } }])).toMatchObject({ code: 'SUCCESS' })
        }
        const asked = (asset: string) => [
          { type: 'STRING', value: asset } as const,
          { type: 'INT', value: 60 } as const,
        ]
        expect(await model.call('predict', asked('BTC'))).toMatchObject({
          code: 'SUCCESS',
          value: { value: 3.5, asset: 'BTC', horizon: 60 },
        })
        // A child process forked during a gRPC call must survive.
        expect(await model.call('predict', asked('FORKS'))).toMatchObject({ value: { dead: 0, sum: 3 } })
        expect(await model.call('predict', asked('BROKEN'))).toMatchObject({
          code: 'MODEL_FAILED',
          message: 'The model raised an exception: no such asset in main',
        })
        const lines = async (id: string) => (await space.logLines(id)).map(({ message }) => message)
        await until('the stack trace is in the log', async () =>
          (await lines('1')).includes('Traceback (most recent call last):'),
        )
        expect(await lines('1')).toContain('ValueError: no such asset in main')
        expect(await lines('1')).toContain('made with tracker.TrackerBase None')
        expect((await lines('2')).join()).not.toContain('Traceback')
      },
      INSTALL_LIMIT_MS,
    )

    it(
      'can be extracted from a notebook, without its trial statements; errors name the cell',
      async () => {
        const notebook = (...cells: readonly string[]) =>
          JSON.stringify({ nbformat: 4, cells: cells.map((source) => ({ cell_type: 'code', source })) })
        const cells = [
          '!echo "it\'s a notebook"\nimport numpy as np\n',
          SUM_MODEL,
          'raise RuntimeError("only tried out")',
        ]
        await write(join(space.submissions, 'book', 'model.ipynb'), notebook(...cells))
        await write(join(space.submissions, 'broken', 'model.ipynb'), notebook('import os', '\ndef f(:\n  pass'))
        await space.models([entry('1', 'book'), entry('2', 'broken')])
        const orchestrator = await start()
        const { port } = await untilServing(orchestrator, '1')
        const model = connectModel(port)
        cleanups.push(model.close)
        expect((await model.setup('tracker.TrackerBase')).status).toMatchObject({ code: 'SUCCESS' })
        await model.call('tick', [{ type: 'JSON', value: { price: 2 } }])
        const asked = [{ type: 'STRING', value: 'BTC' } as const, { type: 'INT', value: 60 } as const]
        expect(await model.call('predict', asked)).toMatchObject({ code: 'SUCCESS', value: { value: 2 } })
        const failure = await until('a failure', () => orchestrator.models()[1]?.lastFailure, INSTALL_LIMIT_MS)
        expect(failure).toMatchObject({ code: 'BUILD_FAILED' })
        expect(failure.reason).toMatch(/^model\.ipynb: cell 2 line 2: /)
        expect(orchestrator.models()[0]).toMatchObject({ language: 'notebook' })
      },
      INSTALL_LIMIT_MS,
    )

    it(
      'fail with the name of a missing requirement and the output of pip',
      async () => {
        await write(join(space.submissions, 'wrong', 'main.py'), SUM_MODEL)
        await write(
          join(space.submissions, 'wrong', 'requirements.txt'),
          'crunch-model-runner==99.0.1  # no such version\n',
        )
        await space.models([entry('1', 'wrong')])
        const orchestrator = await start()
        const failure = await until('a failure', () => orchestrator.models()[0]?.lastFailure, INSTALL_LIMIT_MS)
        expect(failure.code).toBe('BUILD_FAILED')
        expect(failure.reason).toMatch(
          /^requirements\.txt: installing .*crunch-model-runner==99\.0\.1.* failed \(exit code 1\)/,
        )
        expect(failure.reason).toMatch(/ERROR: /)
        expect((await space.logLines('1')).filter(({ emitter }) => emitter === 'builder').length).toBeGreaterThan(2)
      },
      INSTALL_LIMIT_MS,
    )

    it(
      'end when the orchestrator is killed',
      async () => {
        await write(join(space.submissions, 'sum', 'main.py'), SUM_MODEL)
        await space.models([entry('1', 'sum')])
        // Created in advance, so that the child's ready line does not wait for the installation.
        const warm = await start()
        await untilServing(warm, '1')
        await warm.close()
        const { child, line } = await startProcess()
        const { models }: { models: { pid: number; state: string }[] } = JSON.parse(await line)
        expect(models[0]).toMatchObject({ state: 'RUNNING' })
        const pid = models[0]!.pid
        expect(isAlive(pid)).toBe(true)
        child.kill('SIGKILL')
        await until('the Python model is gone', () => !isAlive(pid))
      },
      INSTALL_LIMIT_MS,
    )
  },
)

async function startProcess(): Promise<{ child: ChildProcess; line: Promise<string> }> {
  const program = builtFile(import.meta.url, 'bin.js')
  const options = ['--models', space.modelsFile, '--submissions', space.submissions, '--port', '0']
  const python = ['--environments', TEST_ENVIRONMENTS, '--python-path', pythonPath]
  const child = spawn(process.execPath, [program, 'start', ...options, ...python], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  })
  cleanups.push(() => child.kill('SIGKILL'))
  const line = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the orchestrator exited with code ${code}`)))
  })
  line.catch(() => undefined)
  return { child, line }
}
