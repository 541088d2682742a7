import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { entry, useWorkspace } from '../test/start-in-workspace.ts'
import { isAlive, rememberingLog, until } from '../test/workspace.ts'
import type { Orchestrator, OrchestratorSettings } from './start-orchestrator.ts'

const GOOD = 'export {}'
const DIES_WHEN_TOLD = "process.on('SIGUSR2', () => process.exit(7))"

const { space, cleanups, ...used } = useWorkspace()
let log: ReturnType<typeof rememberingLog>
let orchestrator: Orchestrator

beforeEach(() => {
  log = rememberingLog()
})

async function start(settings: Partial<OrchestratorSettings> = {}) {
  orchestrator = await used.start({ log, ...settings })
  return used.connect(orchestrator.port)
}

const status = (id: string) => {
  const found = orchestrator.models().find((model) => model.id === id)
  if (!found) throw new Error(`no model ${id}`)
  return found
}

describe('orchestrator', () => {
  it('announces a serving model with its deployment id, port and names', async () => {
    await space.submission('trend', GOOD)
    await space.models([entry('1', 'trend', { model_name: 'the trend', cruncher_id: 'me' }), entry('2', 'trend')])
    const coordinator = await start()
    await orchestrator.settled()
    const [one, two] = [await coordinator.announced('1', 'RUNNING'), await coordinator.announced('2', 'RUNNING')]
    expect(one).toMatchObject({
      ip: '127.0.0.1',
      infos: { model_name: 'the trend', cruncher_id: 'me', cruncher_name: 'me' },
    })
    expect(one.deployment_id).toMatch(/^1_\d{8}_\d{6}_\d{3}$/)
    expect(one.port).not.toBe(two.port)
    expect(status('1')).toMatchObject({
      state: 'RUNNING',
      port: one.port,
      deploymentId: one.deployment_id,
      restarts: 0,
      lastFailure: null,
    })
    const later = await used.connect(orchestrator.port)
    expect(later.states.map(({ model_id }) => model_id)).toEqual(['1', '2'])
  })

  it('applies changes of the file: adds, renames, stops, restarts and removes models', async () => {
    await space.submission('trend', GOOD)
    await space.models([])
    const coordinator = await start()
    await orchestrator.settled()
    expect(JSON.parse(coordinator.frames[0]!)).toEqual({ event: 'init', data: [], standings: [] })

    await space.models([entry('1', 'trend')])
    const first = await coordinator.announced('1', 'RUNNING')
    const { pid } = status('1')
    await space.models([entry('1', 'trend', { model_name: 'renamed' })])
    expect(await coordinator.announced('1', 'RUNNING', 1)).toEqual({
      ...first,
      infos: { ...first.infos, model_name: 'renamed' },
    })
    expect(status('1').pid).toBe(pid)

    await space.models([entry('1', 'trend', { desired_state: 'STOPPED' })])
    expect((await coordinator.announced('1', 'STOPPED')).deployment_id).toBe(first.deployment_id)
    await until('the process is gone', () => !isAlive(pid!))
    await until('the state is STOPPED', () => status('1').state === 'STOPPED')

    await space.models([entry('1', 'trend')])
    const second = await coordinator.announced('1', 'RUNNING', 2)
    expect(second.deployment_id).not.toBe(first.deployment_id)
    const again = status('1').pid
    await space.models([])
    await coordinator.announced('1', 'STOPPED', 1)
    await until('the process is gone', () => !isAlive(again!))
    expect(orchestrator.models()).toEqual([])
  })

  it('replaces a submission: announces the new run, then stops the old one', async () => {
    await space.submission('old', GOOD)
    await space.submission('new', 'await new Promise((resolve) => setTimeout(resolve, 300))')
    await space.models([entry('1', 'old')])
    const coordinator = await start()
    const old = await coordinator.announced('1', 'RUNNING')
    const oldPid = status('1').pid
    await space.models([entry('1', 'new')])
    const stopped = await coordinator.announced('1', 'STOPPED')
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'STOPPED'])
    expect(stopped.deployment_id).toBe(old.deployment_id)
    expect(coordinator.states[1]?.deployment_id).not.toBe(old.deployment_id)
    await until('the old process is gone', () => !isAlive(oldPid!))
    expect(status('1')).toMatchObject({ state: 'RUNNING', submissionId: 'new' })
  })

  it('keeps the old run serving when its replacement cannot start', async () => {
    await space.submission('old', GOOD)
    await space.submission('new', "throw new Error('broken replacement')")
    await space.models([entry('1', 'old')])
    const coordinator = await start()
    await coordinator.announced('1', 'RUNNING')
    await space.models([entry('1', 'new')])
    await until('quarantine', () => log.lines.some(({ message }) => message === 'model is in quarantine'))
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING'])
    expect(status('1')).toMatchObject({
      state: 'RUNNING',
      lastFailure: { reason: expect.stringContaining('broken replacement') },
    })
  })

  it('restarts a crashed model as a new deployment', async () => {
    await space.submission('trend', DIES_WHEN_TOLD)
    await space.models([entry('1', 'trend')])
    const coordinator = await start()
    const first = await coordinator.announced('1', 'RUNNING')
    process.kill(status('1').pid!, 'SIGUSR2')
    const second = await coordinator.announced('1', 'RUNNING', 1)
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING', 'STOPPED', 'RUNNING'])
    expect(coordinator.states[1]?.deployment_id).toBe(first.deployment_id)
    expect(second.deployment_id).not.toBe(first.deployment_id)
    expect(status('1')).toMatchObject({
      restarts: 1,
      lastFailure: { code: 'STOP_UNEXPECTED', reason: expect.stringContaining('exited with code 7') },
    })
  })

  it('quarantines a crashing model with the reason until its entry changes, without affecting others', async () => {
    await space.submission('bad', "console.error('missing weights'); process.exit(3)")
    await space.submission('good', GOOD)
    await space.models([entry('1', 'bad'), entry('2', 'good')])
    const coordinator = await start()
    await orchestrator.settled()
    expect(status('1').lastFailure).not.toBeNull()
    await coordinator.announced('2', 'RUNNING')
    await until('quarantine', () => status('1').state === 'FAILED')
    expect(status('1')).toMatchObject({ restarts: 2, lastFailure: { code: 'RUN_FAILED' } })
    expect(status('1').lastFailure?.reason).toMatch(
      /exited with code 3 before it served; last lines of stderr: missing weights/,
    )
    await space.models([entry('1', 'good'), entry('2', 'good')])
    await coordinator.announced('1', 'RUNNING')
    expect(coordinator.states.filter(({ model_id }) => model_id === '2')).toHaveLength(1)
  })

  it('aborts a hanging start, and kills its process with all children', async () => {
    const main = `
      import { spawn } from 'node:child_process'
      process.on('SIGTERM', () => {})
      const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'ignore' })
      console.error('process ' + process.pid + ', grandchild ' + child.pid)
      setInterval(() => {}, 1000)
      await new Promise(() => {})`
    await space.submission('hangs', main)
    await space.models([entry('1', 'hangs')])
    await start({ startTimeoutMs: 4_000, stopTimeoutMs: 200, restart: { maxQuickFailures: 1 } })
    await until('the start has failed', () => status('1').state === 'FAILED')
    expect(status('1')).toMatchObject({ restarts: 0, lastFailure: { code: 'RUN_FAILED' } })
    const reason = status('1').lastFailure?.reason ?? ''
    expect(reason).toContain('did not serve within 4000 ms')
    const [pid, grandchild] = (/process (\d+), grandchild (\d+)/.exec(reason) ?? []).slice(1).map(Number)
    if (pid === undefined || grandchild === undefined) throw new Error(`no processes in "${reason}"`)
    await until('the process is gone', () => !isAlive(pid))
    await until('the grandchild is gone', () => !isAlive(grandchild))
  })

  it.each([
    ['a missing folder', async () => undefined, /submission folder .* cannot be opened/],
    [
      'no main',
      () => writeFile(join(space.submissions, 'bad', 'model.ts'), ''),
      /has no main\.ts or main\.js, no main\.py/,
    ],
    ['two languages', () => writeTwoMains(), /has both main.ts and main.py/],
    ['two notebooks', () => writeTwoNotebooks(), /has 2 notebooks .a.ipynb, b.ipynb./],
  ])('fails a submission with %s at once', async (name, prepare, reason) => {
    if (name !== 'a missing folder') {
      await space.submission('bad', '')
      await rm(join(space.submissions, 'bad', 'main.mjs'))
    }
    await prepare()
    await space.models([entry('1', 'bad')])
    await start()
    await orchestrator.settled()
    expect(status('1')).toMatchObject({ state: 'FAILED', restarts: 0, lastFailure: { code: 'BUILD_FAILED' } })
    expect(status('1').lastFailure?.reason).toMatch(reason)
  })

  it('keeps the models running while the file is invalid or missing, and logs it once', async () => {
    await space.submission('a', GOOD)
    await space.models([entry('1', 'a')])
    const coordinator = await start()
    await coordinator.announced('1', 'RUNNING')
    const errors = () => log.lines.filter(({ level }) => level === 'error')
    await writeFile(space.modelsFile, 'models: [')
    await until('the error', () => errors().length === 1)
    expect(errors()[0]?.fields.problem).toMatch(/models\.dev\.yml:\d+: /)
    await rm(space.modelsFile)
    await until('the second error', () => errors().length === 2)
    await space.models([entry('1', 'a'), entry('2', 'a')])
    await coordinator.announced('2', 'RUNNING')
    expect(errors()).toHaveLength(2)
    expect(coordinator.states.filter(({ model_id }) => model_id === '1')).toHaveLength(1)
  })

  it('refuses to start with an invalid file', async () => {
    await expect(start()).rejects.toMatchObject({
      code: 'MODELS_FILE_INVALID',
      message: expect.stringContaining('create it'),
    })
  })

  it("runs the model in its folder, without the node's settings in its environment", async () => {
    process.env.TEST_SECRET_OF_THE_NODE = 'hunter2'
    cleanups.push(() => delete process.env.TEST_SECRET_OF_THE_NODE)
    await space.submission('a', 'console.log(JSON.stringify({ cwd: process.cwd(), names: Object.keys(process.env) }))')
    await space.models([entry('1', 'a')])
    const coordinator = await start()
    await coordinator.announced('1', 'RUNNING')
    const line = await until('the line', async () =>
      (await space.logLines('1')).find(({ message }) => message.includes('cwd')),
    )
    expect(line).toMatchObject({ error: false, emitter: 'user-code', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) })
    const seen: { cwd: string; names: string[] } = JSON.parse(line.message)
    expect(seen.cwd).toBe(join(space.submissions, 'a'))
    const allowed = [
      'HOME',
      'LANG',
      'LC_ALL',
      'MODEL_BASE_CLASSNAME',
      'NODE_ENV',
      'NODE_NO_WARNINGS',
      'NODE_PATH',
      'PATH',
      'TMPDIR',
      'TZ',
    ]
    expect(seen.names.filter((name) => !allowed.includes(name))).toEqual([])
    expect(seen.names).toContain('MODEL_BASE_CLASSNAME')
  })

  it('stops a model that prints endlessly, with limited disk usage and without affecting others', async () => {
    const main = `
      const print = () => {
        for (let count = 0; count < 200; count += 1) console.log('x'.repeat(1023))
        setTimeout(print)
      }
      process.on('SIGUSR2', print)`
    await space.submission('prints', main)
    await space.submission('good', GOOD)
    await space.models([entry('1', 'prints'), entry('2', 'good')])
    const logLimits = {
      fileBytes: 100_000,
      burstBytes: 500_000,
      bytesPerSecond: 1_000,
      runs: 2,
      floodBytes: 3_000_000,
      floodBytesPerSecond: 1_000,
    }
    const coordinator = await start({ logLimits })
    // The model prints only after it serves, so that a slow start does not matter.
    for (const run of [0, 1, 2]) {
      await coordinator.announced('1', 'RUNNING', run)
      process.kill(status('1').pid!, 'SIGUSR2')
    }
    await until('quarantine', () => status('1').state === 'FAILED')
    expect(status('1').lastFailure).toMatchObject({
      code: 'STOP_UNEXPECTED',
      reason: 'was stopped because it printed more than 1000 bytes a second; print less',
    })
    await coordinator.announced('2', 'RUNNING')
    expect(coordinator.states.filter(({ model_id }) => model_id === '2')).toHaveLength(1)
    const names = await readdir(join(space.logs, '1'))
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(space.logs, '1', name))).size))
    expect(names).toHaveLength(4)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000)
    const messages = (await space.logLines('1')).map(({ message }) => message)
    expect(messages.some((message) => /^\d+ bytes were dropped here/.test(message))).toBe(true)
  })

  it('ends every process on close, and announces only the close of the socket', async () => {
    await space.submission('a', "process.on('SIGTERM', () => {})")
    await space.models([entry('1', 'a'), entry('2', 'a'), entry('3', 'a')])
    const coordinator = await start({ stopTimeoutMs: 200 })
    await until('all serve', () => orchestrator.models().every(({ state }) => state === 'RUNNING'))
    const pids = orchestrator.models().map(({ pid }) => pid!)
    await orchestrator.close()
    expect(pids.map(isAlive)).toEqual([false, false, false])
    expect(await coordinator.closed).toBe(1001)
    expect(coordinator.states.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING'])
  })
})

async function writeTwoMains(): Promise<void> {
  for (const name of ['main.ts', 'main.py']) await writeFile(join(space.submissions, 'bad', name), '')
}

async function writeTwoNotebooks(): Promise<void> {
  for (const name of ['a.ipynb', 'b.ipynb']) await writeFile(join(space.submissions, 'bad', name), '{}')
}
