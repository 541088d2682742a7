import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processIdentity } from '@crunch/local-processes'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLogs } from '../logs/read-logs.ts'
import { askSupervisor } from './control.ts'
import { sendSignal } from './end-process.ts'
import { writePidFile } from './pid-files.ts'
import type { ServiceDefinition, ServiceStatus } from './service-definition.ts'
import { scriptService, servingScript, stubbornScript } from './supervisor.fixture.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'
import { readLiveSupervisor } from './supervisor-record.ts'

const policy = { firstMs: 20, longestMs: 80, stableMs: 60_000 }

let directory: string
let opened: Supervisor[]
let spawned: ChildProcess[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crunch-supervisor-'))
  opened = []
  spawned = []
})

afterEach(async () => {
  await Promise.all(opened.map((supervisor) => supervisor.stop()))
  for (const child of spawned) child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

async function open(
  services: readonly ServiceDefinition[],
  more: Partial<SupervisorOptions> = {},
): Promise<Supervisor> {
  const options = {
    stateDirectory: directory,
    services,
    apiUrl: 'http://127.0.0.1:1',
    modelsUrl: null,
    mode: 'live',
    policy,
    ...more,
  }
  const supervisor = await Supervisor.open({ graceMs: 500, ...options })
  opened.push(supervisor)
  return supervisor
}

function statusOf(supervisor: Supervisor, name: string): ServiceStatus {
  const status = supervisor.status().services.find((service) => service.name === name)
  if (status === undefined) throw new Error(`no service ${name}`)
  return status
}

/** Resolves as soon as the states satisfy a condition, which is checked at each change. */
function until(supervisor: Supervisor, condition: () => boolean, limitMs = 60_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`not within ${limitMs} ms: ${JSON.stringify(supervisor.status().services)}`))
    }, limitMs)
    const look = (): void => {
      if (!condition()) return
      clearTimeout(timer)
      end()
      resolve()
    }
    const end = supervisor.onChange(look)
    look()
  })
}

async function poll(condition: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const isAlive = (pid: number | null): boolean => pid !== null && processIdentity(pid) !== undefined

describe('Supervisor', () => {
  it('starts a service only when its dependencies are ready, and passes their settings on', async () => {
    const database: ServiceDefinition = {
      ...scriptService('database', servingScript),
      provides: async () => ({ DATABASE_URL: 'postgres://here' }),
    }
    const worker = scriptService(
      'worker',
      'say({ msg: process.env.DATABASE_URL }); ready(); setInterval(() => {}, 999)',
      {
        after: ['database'],
      },
    )
    const supervisor = await open([worker, database])
    expect(statusOf(supervisor, 'worker').state).toBe('waiting')
    await until(supervisor, () => statusOf(supervisor, 'worker').state === 'ready')
    expect(statusOf(supervisor, 'database').state).toBe('ready')
    await supervisor.stop()
    const messages = (await readLogs(join(directory, 'logs'), ['worker'], 50)).map(({ entry }) => entry.msg)
    expect(messages).toContain('postgres://here')
  })

  it('restarts a crashing service with growing delays, and reports why it ended', async () => {
    const supervisor = await open([scriptService('crashing', 'console.error("no such table"); process.exit(1)')])
    const pauses: number[] = []
    supervisor.onChange(() => {
      const { state, nextStartAt, lastErrorAt } = statusOf(supervisor, 'crashing')
      if (state === 'backing-off' && nextStartAt !== null && lastErrorAt !== null)
        pauses.push(nextStartAt - lastErrorAt)
    })
    await until(supervisor, () => statusOf(supervisor, 'crashing').restarts >= 4)
    expect(statusOf(supervisor, 'crashing').lastError).toBe('ended with exit code 1: no such table')
    expect(pauses.slice(0, 4).map((pauseMs) => Math.round(pauseMs / 10) * 10)).toEqual([20, 40, 80, 80])
  })

  it('restarts a service after kill -9, after ending its descendants', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      say({ msg: 'grandchild', grandchild: grandchild.pid }); ready(); setInterval(() => {}, 1000);`
    const supervisor = await open([scriptService('parent', script)])
    await until(supervisor, () => statusOf(supervisor, 'parent').state === 'ready')
    const { pid } = statusOf(supervisor, 'parent')
    const logs = await readUntil('parent', 'grandchild')
    const grandchild = Number(logs.fields.grandchild)
    expect(isAlive(grandchild)).toBe(true)
    sendSignal(pid ?? Number.NaN, 'SIGKILL')
    await until(
      supervisor,
      () => statusOf(supervisor, 'parent').restarts === 1 && statusOf(supervisor, 'parent').state === 'ready',
    )
    expect(statusOf(supervisor, 'parent').lastError).toBe('was ended by SIGKILL')
    await poll(() => !isAlive(grandchild))
  })

  it('restarts a service with a wrong configuration only on request', async () => {
    const script =
      'console.log(JSON.stringify({ level: 50, time: 1, msg: "contract.ts: no schedule" })); process.exitCode = 2'
    const supervisor = await open([scriptService('wrong', script)])
    await until(supervisor, () => statusOf(supervisor, 'wrong').state === 'failed')
    expect(statusOf(supervisor, 'wrong')).toMatchObject({
      restarts: 0,
      lastError: 'contract.ts: no schedule',
      nextStartAt: null,
    })
    await supervisor.restart('wrong-alias')
    await until(supervisor, () => statusOf(supervisor, 'wrong').state === 'failed')
    expect(statusOf(supervisor, 'wrong').restarts).toBe(1)
  })

  it('reports a missing program', async () => {
    const missing = scriptService('missing', '')
    const supervisor = await open([
      { ...missing, command: () => ({ command: '/no/such/program', args: [], cwd: '/', env: {} }) },
    ])
    await until(supervisor, () => statusOf(supervisor, 'missing').state === 'failed')
    expect(statusOf(supervisor, 'missing').lastError).toContain('/no/such/program')
  })

  it('stops dependents first, and kills services that do not end within the grace period', async () => {
    const ends: string[] = []
    const supervisor = await open([
      scriptService('base', servingScript),
      scriptService('stubborn', stubbornScript, { after: ['base'] }),
    ])
    await until(supervisor, () => statusOf(supervisor, 'stubborn').state === 'ready')
    const pids = supervisor.status().services.map(({ pid }) => pid)
    supervisor.onChange(() => {
      for (const { name, state } of supervisor.status().services) {
        if (state === 'stopped' && !ends.includes(name)) ends.push(name)
      }
    })
    await supervisor.stop()
    expect(ends).toEqual(['stubborn', 'base'])
    expect(pids.map(isAlive)).toEqual([false, false])
    expect(await readdir(join(directory, 'pids'))).toEqual([])
    expect(await readLiveSupervisor(directory)).toBeUndefined()
  })

  it('gives a service the time that it needs to end, then ends surviving processes', async () => {
    const slow = 'process.on("SIGTERM", () => setTimeout(() => { say({ msg: "ended well" }); process.exit(0) }, 800));'
    const states: string[] = []
    const supervisor = await open([{ ...scriptService('slow', `${slow}${servingScript}`), graceMs: 30_000 }], {
      endRest: async () => {
        states.push(statusOf(supervisor, 'slow').state)
        return [{ service: 'postgres', pid: 4_194_303 }]
      },
    })
    await until(supervisor, () => statusOf(supervisor, 'slow').state === 'ready')
    await supervisor.stop()
    expect(states).toEqual(['stopped'])
    const messages = (await readLogs(join(directory, 'logs'), ['slow', 'supervisor'], 50)).map(({ entry }) => entry.msg)
    expect(messages).toContain('ended well')
    expect(messages).toContain('a process that outlived its service was ended')
  })

  it('leaves no process when it is stopped during a start', async () => {
    const supervisor = await open([scriptService('serving', servingScript)])
    await supervisor.stop()
    expect(statusOf(supervisor, 'serving')).toMatchObject({ state: 'stopped', pid: null })
  })

  it('answers, restarts and ends by commands over its socket', async () => {
    const supervisor = await open([
      scriptService('one', servingScript),
      scriptService('two', servingScript, { after: ['one'] }),
    ])
    const record = await readLiveSupervisor(directory)
    const socketPath = record?.socketPath ?? ''
    await until(supervisor, () => statusOf(supervisor, 'two').state === 'ready')
    const before = (await askSupervisor(socketPath, { command: 'status' })).services
    expect(before.map(({ name, state }) => `${name} ${state}`)).toEqual(['one ready', 'two ready'])
    await askSupervisor(socketPath, { command: 'restart', service: 'one' })
    await until(supervisor, () => statusOf(supervisor, 'one').state === 'ready')
    expect(statusOf(supervisor, 'one').pid).not.toBe(before[0]?.pid)
    expect(statusOf(supervisor, 'two').pid).toBe(before[1]?.pid)
    await askSupervisor(socketPath, { command: 'restart' })
    await until(supervisor, () => statusOf(supervisor, 'two').state === 'ready')
    expect(statusOf(supervisor, 'two').pid).not.toBe(before[1]?.pid)
    await expect(askSupervisor(socketPath, { command: 'restart', service: 'three' })).rejects.toThrow(
      'name one of: one, two',
    )
    await askSupervisor(socketPath, { command: 'down' })
    await supervisor.downRequested
  })

  it('restarts a waiting service only once its dependencies are ready', async () => {
    let serve = (): void => undefined
    const url = new Promise<Record<string, string>>((resolve) => {
      serve = () => resolve({ DATABASE_URL: 'postgres://here' })
    })
    const database = { ...scriptService('database', servingScript), provides: () => url }
    const provided: (string | undefined)[] = []
    const script = scriptService('worker', servingScript, { after: ['database'] })
    const worker: ServiceDefinition = {
      ...script,
      command: (settings) => {
        provided.push(settings.DATABASE_URL)
        return script.command(settings)
      },
    }
    const supervisor = await open([database, worker])
    await supervisor.restart('worker-alias')
    expect(statusOf(supervisor, 'worker').pid).toBeNull()
    serve()
    await until(supervisor, () => statusOf(supervisor, 'worker').state === 'ready')
    expect(provided).toEqual(['postgres://here'])
  })

  it('refuses a second supervisor for the same workspace', async () => {
    await open([scriptService('serving', servingScript)])
    await expect(open([])).rejects.toThrow('already deployed')
  })

  it('lets exactly one of many concurrently started supervisors run', async () => {
    await writeFile(join(directory, 'supervisor.json'), '{"pid":4194303,"identity":"gone"}')
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => open([scriptService('x', servingScript)])),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('restarts dependents when a service returns with other settings', async () => {
    let port = 1
    const database = { ...scriptService('database', servingScript), provides: async () => ({ PORT: String(port++) }) }
    const worker = scriptService(
      'worker',
      'say({ msg: "port " + process.env.PORT }); ready(); setInterval(() => {}, 999)',
      {
        after: ['database'],
      },
    )
    const supervisor = await open([database, worker])
    await until(supervisor, () => statusOf(supervisor, 'worker').state === 'ready')
    sendSignal(statusOf(supervisor, 'database').pid ?? Number.NaN, 'SIGKILL')
    expect((await readUntil('worker', 'port 2')).msg).toBe('port 2')
  })
})

describe('after kill -9 of the supervisor', () => {
  it('a child ends by itself, or the next start ends it', async () => {
    const fixture = fileURLToPath(new URL('./supervisor.fixture.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', fixture, 'supervise', directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    spawned.push(child)
    const [polite, stubborn] = await new Promise<number[]>((resolve, reject) => {
      child.stdout?.on('data', (text) => resolve(JSON.parse(String(text).split('\n')[0] ?? '')))
      child.once('exit', () => reject(new Error('the supervisor ended')))
    })
    if (polite === undefined || stubborn === undefined) throw new Error('two processes were expected')
    // On a busy machine a process is ready before its pid file is written.
    const pids = join(directory, 'pids')
    await poll(async () => (await readdir(pids)).filter((name) => name.endsWith('.json')).length === 2)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await poll(() => !isAlive(polite))
    expect(isAlive(stubborn)).toBe(true)
    expect(await readLiveSupervisor(directory)).toBeUndefined()
    const supervisor = await open([scriptService('polite', servingScript)])
    expect(isAlive(stubborn)).toBe(false)
    await until(supervisor, () => statusOf(supervisor, 'polite').state === 'ready')
  })

  it('a recycled pid is not killed', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true })
    spawned.push(stranger)
    const pid = stranger.pid ?? Number.NaN
    await writePidFile(join(directory, 'pids'), { service: 'old', pid, identity: `${pid}@1@other-boot`, startedAt: 1 })
    await open([])
    expect(isAlive(pid)).toBe(true)
    expect(await readdir(join(directory, 'pids'))).toEqual([])
  })
})

async function readUntil(service: string, msg: string) {
  let found: Awaited<ReturnType<typeof readLogs>>[number] | undefined
  await poll(async () => {
    found = (await readLogs(join(directory, 'logs'), [service], 50)).find(({ entry }) => entry.msg === msg)
    return found !== undefined
  })
  if (found === undefined) throw new Error(`${service} did not log ${msg}`)
  return found.entry
}
