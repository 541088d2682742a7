import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { entry, useWorkspace } from '../../test/start-in-workspace.ts'
import { rememberingLog, until } from '../../test/workspace.ts'
import { checkModelLimits, type ModelLimits } from '../limit/model-limits.ts'
import { startProcessGuard } from '../process/process-guard.ts'
import { openOrchestratorKey, orchestratorKeyFileIn } from '../settings/orchestrator-key.ts'
import type { Orchestrator } from '../start-orchestrator.ts'
import { type ConfinementSettings, createConfinement } from './confinement.ts'
import { createFreePorts } from './free-ports.ts'

const missing = await findMissing()
if (missing !== null) process.stderr.write(`tests of confined models are skipped: ${missing}\n`)

const { space, cleanups, ...used } = useWorkspace()
let orchestrator: Orchestrator

/** Why models cannot be confined on this machine; null if they can. */
async function findMissing(): Promise<string | null> {
  const log = rememberingLog()
  const guard = startProcessGuard(log)
  const input = { limits: checkModelLimits(), secret: [], guard, ports: createFreePorts('127.0.0.1') }
  const { words } = await createConfinement({ ...input, settings: {} })
  guard.close()
  return words.find((text) => text.includes('no namespaces')) ?? null
}

/** Runs `probe` in a confined model and returns its findings, one text per name. */
async function find(probe: string, modelLimits: Partial<ModelLimits> = {}): Promise<Readonly<Record<string, string>>> {
  await start(probe, modelLimits)
  const line = await until('what the model found', async () => {
    const lines = await space.logLines('1').catch(() => [])
    return lines.find(({ message }) => message.startsWith('FOUND '))
  })
  return JSON.parse(line.message.slice('FOUND '.length))
}

async function start(probe: string, modelLimits: Partial<ModelLimits> = {}, confinement: ConfinementSettings = {}) {
  const main = `
    import fs from 'node:fs'
    import net from 'node:net'
    import { execFileSync, spawn } from 'node:child_process'
    const found = {}
    const attempt = async (name, work) => {
      try { found[name] = String(await work()) } catch (error) { found[name] = String(error.code ?? error.message) }
    }
    ${probe}
    console.log('FOUND ' + JSON.stringify(found))`
  await space.submission('a', main)
  await space.submission('other', "export const secret = 'of another'")
  await space.models([entry('1', 'a')])
  orchestrator = await used.start({ restart: { maxQuickFailures: 1 }, modelLimits, confinement })
  return used.connect(orchestrator.port)
}

const status = () => orchestrator.models()[0]!

it.runIf(process.platform === 'linux').each(['auto', 'off'] as const)(
  'announces models at the given host, and lets them listen on all addresses: namespaces %s',
  async (namespaces) => {
    const coordinator = await start('', {}, { namespaces, network: 'host', advertiseHost: 'models.example.org' })
    const { ip, port } = await coordinator.announced('1', 'RUNNING')
    expect(ip).toBe('models.example.org')
    // A program that listens only on 127.0.0.1 cannot be reached at 127.0.0.2.
    const socket = connect({ host: '127.0.0.2', port: port ?? 0 })
    cleanups.push(() => socket.destroy())
    await once(socket, 'connect')
  },
)

it.each(['none', undefined] as const)('refuses to announce models that have no network: %s', async (network) => {
  await expect(start('', {}, { network, advertiseHost: 'models.example.org' })).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringMatching(/models\.example\.org need a network; set --model-network host .*--advertise-host$/),
  })
})

it('lists the limits that are not enforced', async () => {
  await start('', {}, { namespaces: 'off' })
  await until('the model serves', () => status().state === 'RUNNING')
  expect(status().confinement).toEqual(
    expect.arrayContaining([
      'files of this user neither hidden nor protected: no namespaces, they are switched off by MODEL_NAMESPACES',
      'network open: no namespaces, they are switched off by MODEL_NAMESPACES',
    ]),
  )
})

it.skipIf(process.platform !== 'linux').each(['prlimit', 'unshare'])(
  'refuses to start if %s hangs, rather than run models unconfined on a busy machine',
  async (program) => {
    await writeFile(join(space.root, program), '#!/bin/sh\nexec sleep 600\n')
    await chmod(join(space.root, program), 0o755)
    vi.stubEnv('PATH', `${space.root}:${process.env.PATH}`)
    cleanups.push(() => vi.unstubAllEnvs())
    const guard = startProcessGuard(rememberingLog())
    cleanups.push(() => guard.close())
    const input = { limits: checkModelLimits(), secret: [], guard, ports: createFreePorts('127.0.0.1') }
    await expect(createConfinement({ ...input, settings: {}, probeLimitMs: 2_000 })).rejects.toMatchObject({
      code: 'BUSY',
      message: `${program} did not finish within 2000 ms; start again when this machine is less busy`,
    })
  },
)

it.skipIf(missing !== null && process.env.CI !== 'true')(
  "hides everything but the model's files, while its socket can be called from outside",
  async () => {
    await writeFile(join(space.root, '.env'), 'DATABASE_URL=secret')
    const server = createServer().listen(0, '127.0.0.1')
    cleanups.push(() => server.close())
    await until('the server listens', () => server.listening)
    const { port } = server.address() as { port: number }
    const path = (name: string) => JSON.stringify(join(space.root, name))
    const keys = [space.logs, space.submissions].map((folder) => {
      openOrchestratorKey(folder)
      return JSON.stringify(orchestratorKeyFileIn(folder))
    })
    const found = await find(`
      const connect = (where) => new Promise((resolve, reject) => {
        net.connect(where).on('connect', () => resolve('connected')).on('error', reject)
      })
      await attempt('own', () => fs.readdirSync('.'))
      await attempt('other', () => fs.readFileSync(${path('submissions/other/main.mjs')}))
      await attempt('submissions', () => fs.readdirSync(${path('submissions')}))
      await attempt('settings', () => fs.readFileSync(${path('.env')}))
      await attempt('logs', () => fs.readdirSync(${path('logs')}))
      await attempt('keyBesideLogs', () => fs.readFileSync(${keys[0]}))
      await attempt('keyAmongSubmissions', () => fs.readFileSync(${keys[1]}))
      await attempt('nodeEnvironment', () => fs.readFileSync('/proc/${process.pid}/environ'))
      await attempt('processes', () => fs.readdirSync('/proc').filter(Number).length < 6)
      await attempt('network', () => connect({ host: '127.0.0.1', port: ${port} }))
      await attempt('names', () => Object.keys(process.env).filter((name) => /DATABASE|CI|VITEST/.test(name)))
      await attempt('privileges', () => /CapEff:\\s+0+\\n/.test(fs.readFileSync('/proc/self/status', 'utf8')))`)
    expect(found).toEqual({
      own: 'main.mjs',
      other: 'ENOENT',
      submissions: 'a',
      settings: 'ENOENT',
      logs: 'ENOENT',
      keyBesideLogs: 'ENOENT',
      keyAmongSubmissions: 'ENOENT',
      nodeEnvironment: 'ENOENT',
      processes: 'true',
      network: 'ENETUNREACH',
      names: '',
      privileges: 'true',
    })
    await until('the model serves', () => status().state === 'RUNNING')
    expect(status().confinement).toEqual(expect.arrayContaining(['memory 1024 MiB', 'no network', 'no privileges']))
  },
)

it.skipIf(missing !== null && process.env.CI !== 'true')(
  'lets a model write only to its folder, and limits its open files',
  async () => {
    const found = await find(
      `
      await attempt('own', () => fs.writeFileSync('notes.txt', 'x'))
      await attempt('system', () => fs.writeFileSync('/usr/notes.txt', 'x'))
      await attempt('root', () => fs.writeFileSync('/notes.txt', 'x'))
      await attempt('home', () => fs.writeFileSync(process.env.HOME + '/notes.txt', 'x'))
      await attempt('kernel', () => fs.writeFileSync('/proc/sys/kernel/core_pattern', 'x'))
      for (let count = 0; count < 3; count += 1) {
        await attempt('full', () => fs.writeFileSync('/tmp/' + count, Buffer.alloc(700 * 1024)))
      }
      await attempt('remount', () => execFileSync('mount', ['-o', 'remount,bind,rw', '/usr'], { stdio: 'ignore' }))
      await attempt('namespaces', () => execFileSync('unshare', ['--user', 'true'], { stdio: 'ignore' }))
      const files = []
      await attempt('files', () => { for (;;) files.push(fs.openSync('/dev/null')) })
      for (const file of files) fs.closeSync(file)`,
      { folderMib: 1, openFiles: 200 },
    )
    expect(found).toMatchObject({
      own: 'EROFS',
      system: 'EROFS',
      root: 'EROFS',
      home: 'undefined',
      kernel: 'EROFS',
      full: 'ENOSPC',
      remount: expect.stringContaining('failed'),
      namespaces: expect.stringContaining('failed'),
      files: 'EMFILE',
    })
    await expect(readFile(join(space.submissions, 'a', 'notes.txt'))).rejects.toThrow('ENOENT')
  },
)

it.skipIf(missing !== null && process.env.CI !== 'true')(
  'announces a model without a network by its socket, and accepts reports that name the socket',
  async () => {
    const coordinator = await start("globalThis.setupCode = 'BAD_IMPLEMENTATION'")
    const { ip, port } = await coordinator.announced('1', 'RUNNING')
    expect([ip, port]).toEqual([expect.stringMatching(/^unix:\/tmp\/crunch-.*\/sock$/), 1])
    const report = { model_id: '1', failure_code: 'BAD_IMPLEMENTATION', failure_reason: 'too odd' }
    coordinator.send({ event: 'report_failure', data: [{ ...report, ip: '127.0.0.1' }] })
    coordinator.send({ event: 'report_failure', data: [{ ...report, failure_reason: 'odd indeed', ip }] })
    await coordinator.announced('1', 'STOPPED')
    expect(status()).toMatchObject({ state: 'FAILED', lastFailure: { reason: 'odd indeed' } })
  },
)

it.skipIf(missing !== null && process.env.CI !== 'true')('kills a fork bomb and reports why', async () => {
  await start(
    "setTimeout(() => spawn('/bin/sh', ['-c', 'while :; do sleep 60 & done'], { detached: true, stdio: 'ignore' }), 50)",
    { processes: 20 },
  )
  await until('the failure', () => status().state === 'FAILED')
  expect(status().lastFailure?.reason).toMatch(/^was stopped because it ran \d+ processes, over its limit of 20/)
})

it.skipIf(missing !== null && process.env.CI !== 'true')(
  'reports the signal that killed a confined model',
  async () => {
    await start("setInterval(() => fs.existsSync('die') && process.kill(process.pid, 'SIGKILL'), 20)")
    await until('the model serves', () => status().state === 'RUNNING')
    await writeFile(join(space.submissions, 'a', 'die'), '')
    await until('the failure', () => status().state === 'FAILED')
    expect(status().lastFailure?.reason).toBe('was ended by SIGKILL while it served')
  },
)
