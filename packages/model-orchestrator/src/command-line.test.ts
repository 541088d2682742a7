import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtFile } from '@crunch/local-processes'
import { describe, expect, it } from 'vitest'
import { createStandInPython } from '../test/stand-in-python.ts'
import { entry, useWorkspace } from '../test/start-in-workspace.ts'
import { isAlive, until } from '../test/workspace.ts'
import { MAY_RAISE } from './limit/lower-priority.ts'
import type { ModelStatus } from './run/supervised-model.ts'
import { orchestratorKeyFileIn, readOrchestratorKey } from './settings/orchestrator-key.ts'

const WITH_STAND_IN = fileURLToPath(new URL('../test/orchestrator-process.mjs', import.meta.url))
const BIN = builtFile(import.meta.url, 'bin.js')

const { space, cleanups, connect } = useWorkspace()

function run(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  { detached = false }: { readonly detached?: boolean } = {},
) {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    detached,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => (output.stdout += chunk))
  child.stderr?.on('data', (chunk) => (output.stderr += chunk))
  const exited = once(child, 'exit')
  cleanups.push(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return {
    child,
    output,
    exited,
    async ready(): Promise<{ port: number; httpPort: number | null; models: ModelStatus[] }> {
      const line = await until(
        `the ready line; stderr: ${output.stderr}`,
        () => /^\{"event":"ready".*\n/.exec(output.stdout)?.[0],
      )
      return JSON.parse(line)
    },
  }
}

const start = (...more: string[]) => [
  'start',
  '--http-port',
  '0',
  // Tests identify processes by pid; in separate namespaces the pids would differ.
  '--model-namespaces',
  'off',
  '--models',
  space.modelsFile,
  '--submissions',
  space.submissions,
  ...more,
]

describe('crunch-model-orchestrator', () => {
  it.runIf(process.platform === 'linux').each([
    { detached: true, niceness: MAY_RAISE ? Math.max(getPriority(), 5) : getPriority() },
    { detached: false, niceness: getPriority() },
  ])('lowers its priority below the workers if it leads its own session: $detached', async ({ detached, niceness }) => {
    await space.models([])
    const environment = { CRUNCH_ID: 'weather', MODEL_RUNNER_NODE_PORT: '0' }
    const { child, ready } = run(BIN, start('--logs', space.logs), environment, { detached })
    await ready()
    expect(getPriority(child.pid)).toBe(niceness)
    const group = await readFile(`/proc/${child.pid}/autogroup`, 'utf8').catch(() => null)
    if (detached && MAY_RAISE && group !== null) expect(group).toMatch(new RegExp(` nice ${niceness}\\n$`))
  })

  it('runs a TypeScript submission with the real runner, and stops it on SIGTERM', async () => {
    await space.submission('trend', '')
    await writeFile(
      join(space.submissions, 'trend', 'main.ts'),
      'export class Trend { predict(): number { return 1 } }',
    )
    await space.models([entry('1', 'trend'), entry('2', 'missing')])
    const { child, output, exited, ready } = run(BIN, start('--logs', space.logs), {
      CRUNCH_ID: 'weather',
      MODEL_RUNNER_NODE_PORT: '0',
    })
    const { port, models } = await ready()
    expect(models).toMatchObject([
      { id: '1', state: 'RUNNING' },
      { id: '2', state: 'FAILED', lastFailure: { code: 'BUILD_FAILED' } },
    ])
    const coordinator = await connect(port, '/weather')
    expect(coordinator.states).toMatchObject([{ model_id: '1', port: models[0]?.port }])
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    expect(isAlive(models[0]!.pid!)).toBe(false)
    for (const line of output.stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
  })

  it('leaves no process behind when it is killed with -9, even if a model loops forever', async () => {
    const loops = `
      import { spawn } from 'node:child_process'
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
      console.error('grandchild ' + child.pid)
      process.on('SIGTERM', () => {})
      process.on('SIGUSR2', () => { console.error('loops now'); for (;;); })`
    await space.submission('loops', loops)
    await space.submission('good', 'export {}')
    await space.models([entry('1', 'loops'), entry('2', 'good')])
    const { child, exited, ready } = run(WITH_STAND_IN, start('--port', '0', '--logs', space.logs))
    const { models } = await ready()
    const pids = models.map(({ pid }) => pid!)
    process.kill(pids[0]!, 'SIGUSR2')
    const logged = await until('the loop', async () => {
      const messages = (await space.logLines('1')).map(({ message }) => message)
      return messages.includes('loops now') && messages.join('\n')
    })
    const grandchild = Number(/grandchild (\d+)/.exec(String(logged))?.[1])
    expect([...pids, grandchild].map(isAlive)).toEqual([true, true, true])
    child.kill('SIGKILL')
    await exited
    await until('every process is gone', () => [...pids, grandchild].every((pid) => !isAlive(pid)))
  })

  it.runIf(process.platform === 'linux').each(['', '; exit 0'])(
    'stops itself and its models when the npx that started it is killed, through a shell: "%s"',
    async (more) => {
      await space.submission('good', 'export {}')
      await space.models([entry('1', 'good')])
      const program = [process.execPath, WITH_STAND_IN, ...start('--port', '0', '--logs', space.logs)]
      const npx = `
        process.title = 'npm exec crunch-model-orchestrator'
        const line = ${JSON.stringify(program)}.map((word) => "'" + word + "'").join(' ')
        require('node:child_process').spawn('/bin/sh', ['-c', line + ${JSON.stringify(more)}], { stdio: 'inherit' })`
      const { child, ready } = run('-e', [npx])
      const { models } = await ready()
      const [pid] = models.map((model) => model.pid!)
      const orchestrator = Number(/PPid:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
      child.kill('SIGKILL')
      await until('the orchestrator and its model are gone', () => ![orchestrator, pid!].some(isAlive))
    },
  )

  it('leaves no installer behind when it is killed with -9, and rebuilds the incomplete environment', async () => {
    const python = await createStandInPython()
    cleanups.push(() => python.remove())
    await python.behave({ waitsFor: 'NOTHING' })
    await mkdir(join(space.submissions, 'snake'))
    await writeFile(join(space.submissions, 'snake', 'main.py'), '')
    await space.models([entry('1', 'snake')])
    const options = start('--port', '0', '--python', python.program, '--model-namespaces', 'off')
    const { child, exited } = run(BIN, options)
    const pid = await until('the installation', python.installerPid)
    child.kill('SIGKILL')
    await exited
    await until('the installer is gone', () => !isAlive(pid))
    await python.behave({})
    run(BIN, options)
    const environments = join(space.root, '.environments')
    const names = () => readdir(environments, { recursive: true })
    await until('the environment', async () => (await names()).some((name) => name.endsWith('complete.json')))
    expect((await python.calls()).map(({ call }) => call)).toEqual(['venv', 'pip', 'venv', 'pip'])
  })

  it('kills models that ignore SIGTERM', async () => {
    await space.submission('stubborn', "process.on('SIGTERM', () => {})")
    await space.models([entry('1', 'stubborn'), entry('2', 'stubborn')])
    const { child, exited, ready } = run(WITH_STAND_IN, start('--port', '0'))
    const { models } = await ready()
    child.kill('SIGINT')
    expect(await exited).toEqual([0, null])
    // A killed process keeps its entry in the process table until it is reaped by its new parent.
    await expect.poll(() => models.map(({ pid }) => isAlive(pid!))).toEqual([false, false])
  })

  it('reads a configuration file, lets flags override it, and serves the HTTP API', async () => {
    await space.submission('talks', 'console.log(JSON.stringify(process.env))')
    await space.models([entry('1', 'talks')])
    const config = join(space.root, 'orchestrator.dev.yml')
    await writeFile(
      config,
      `logging: { level: warning }
infrastructure:
  database: { type: sqlite, path: orchestrator.db }
  publishers: [{ type: websocket, address: 127.0.0.1, port: 0 }]
  runner: { type: local, submission-storage-path-format: "$SUBMISSIONS/{id}" }
watcher: { interval: 0.1, poller: { type: yaml, path: ${space.modelsFile} } }
crunches: [{ id: weather, infrastructure: { runner-envs: { MODEL_MODE: fast, MODEL_BASE_CLASSNAME: other } } }]
`,
    )
    const flags = ['--config', config, '--logs', space.logs, '--base-class-name', 'a.B', '--http-port', '0']
    const { output, ready } = run(WITH_STAND_IN, ['start', ...flags], { SUBMISSIONS: space.submissions })
    const { port, httpPort, models } = await ready()
    expect(models).toMatchObject([{ id: '1', state: 'RUNNING' }])
    const modelsUrl = `http://127.0.0.1:${httpPort}/models`
    expect((await fetch(modelsUrl)).status).toBe(401)
    const key = readOrchestratorKey(orchestratorKeyFileIn(space.logs)) ?? ''
    const rows = await (await fetch(modelsUrl, { headers: { 'x-api-key': key } })).json()
    expect(rows).toMatchObject([{ id: '1', status: 'RUNNER_RUNNING', crunch_id: 'weather' }])
    const coordinator = await connect(port, '/weather')
    expect(coordinator.states).toHaveLength(1)
    const seen = await until('the output', async () => (await space.logLines('1'))[0]?.message)
    expect(JSON.parse(seen)).toMatchObject({ MODEL_MODE: 'fast', MODEL_BASE_CLASSNAME: 'a.B' })
    const logged = output.stderr.trim().split('\n')
    expect(logged.map((text) => JSON.parse(text))).toMatchObject([
      { setting: expect.stringContaining('infrastructure.database'), level: 40 },
    ])

    const other = run(WITH_STAND_IN, ['start', ...flags, '--crunch-id', 'other'], { SUBMISSIONS: space.submissions })
    expect(await other.exited).toEqual([2, null])
    expect(JSON.parse(other.output.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      code: 'SETTINGS_INVALID',
      reason: expect.stringMatching(/crunches has no "other", but weather; choose one/),
    })
  })

  it('requires a models file, and starts without an HTTP API when that is off', async () => {
    await space.models([])
    const none = run(WITH_STAND_IN, ['start', '--submissions', space.submissions])
    expect(await none.exited).toEqual([2, null])
    expect(JSON.parse(none.output.stderr).reason).toMatch(/--models <file> is missing/)
    const off = run(WITH_STAND_IN, start('--port', '0', '--http-port', 'off'))
    expect((await off.ready()).httpPort).toBeNull()
  })

  it('exits with 2 if the settings are wrong', async () => {
    await space.models([])
    const contradiction = ['--port', '0', '--model-network', 'none', '--model-namespaces', 'off']
    const refused = run(WITH_STAND_IN, start(...contradiction))
    expect(await refused.exited).toEqual([2, null])
    expect(JSON.parse(refused.output.stderr)).toMatchObject({
      code: 'SETTINGS_INVALID',
      reason: expect.stringMatching(/cannot be isolated from the network: .*MODEL_NAMESPACES; .*MODEL_NETWORK=host/),
    })
  })

  it('reports a port in use or an invalid models file, and exits with 1', async () => {
    await space.models([])
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanups.push(() => taken.close())
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const inUse = run(WITH_STAND_IN, start('--port', String(port)))
    expect(await inUse.exited).toEqual([1, null])
    expect(JSON.parse(inUse.output.stderr)).toMatchObject({
      code: 'ADDRESS_UNAVAILABLE',
      reason: expect.stringContaining(`port ${port} of 127.0.0.1 is in use`),
    })
    await writeFile(space.modelsFile, 'models: 7')
    const invalid = run(WITH_STAND_IN, start('--port', '0'))
    expect(await invalid.exited).toEqual([1, null])
    expect(JSON.parse(invalid.output.stderr)).toMatchObject({ code: 'MODELS_FILE_INVALID' })
  })
})
