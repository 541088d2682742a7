import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { portState } from './deploy/port-holder.ts'
import { runOnTerminal } from './run-cli.fixture.ts'
import { findWorkspace } from './workspace.ts'

let root: string

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'crunch-cli-')))
})

afterEach(() => rm(root, { recursive: true, force: true }))

async function write(path: string, text = ''): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true })
  await writeFile(join(root, path), text)
}

interface Outcome {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

async function crunch(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  return runOnTerminal(argv, { cwd: options.cwd ?? root, env: { PATH: process.env.PATH, ...options.env } })
}

describe('crunch', () => {
  it('shows its version and commands', async () => {
    const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    expect(manifest).toMatchObject({ version: (await crunch(['--version'])).out })
    const { exitCode, out } = await crunch(['--help'])
    expect(exitCode).toBe(0)
    for (const command of ['deploy', 'status', 'logs', 'restart', 'down', 'simulate', 'leaderboard', 'check']) {
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
    expect(out).not.toContain('supervise')
  })

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['deploy', '--fast'], "unknown option '--fast'"],
    [['deploy', 'prod'], 'Allowed choices are dev'],
    [['simulate'], "required option '--recording <file...>' not specified"],
    [['logs', '-n', '-5'], 'Use a whole number'],
    [['restart', 'predict', 'score'], 'too many arguments'],
  ])('refuses %j', async (argv, message) => {
    const { exitCode, err } = await crunch(argv)
    expect(err).toContain(message)
    expect(exitCode).toBe(2)
  })

  it.each(['0', '', 'quick', '0x10', '1e3', '1_000', ' 5', '-1', '5x'])('refuses %j as a speed', async (speed) => {
    const { exitCode, err } = await crunch(['deploy', '--replay', '--speed', speed])
    expect(err).toContain('Use a number greater than 0')
    expect(exitCode).toBe(2)
  })

  it.each(['status', 'down', 'restart', 'logs', 'check', 'leaderboard', 'deploy', 'open'])(
    'explains what to do for %s outside of a workspace',
    async (command) => {
      const { exitCode, err } = await crunch([command])
      expect(exitCode).toBe(1)
      expect(err).toContain('no competition here')
      expect(err).toContain('npx create-crunch')
      expect(err).not.toMatch(/^\s+at /m)
    },
  )

  it('shows the stack of an expected failure only on request', async () => {
    expect((await crunch(['status', '--verbose'])).err).toMatch(/^\s+at /m)
  })

  it.each([
    [['deploy', '--once'], 'this option only applies to a replay'],
    [['deploy', 'dev', '--once'], 'this option only applies to a replay'],
    [
      ['deploy', 'dev', '--replay', 'none.csv'],
      'set FEED_REPLAY_FILES=FILE in the environment of the worker feed-data',
    ],
    [['deploy', '--speed', '5', '--resume'], 'crunch deploy --speed --resume'],
    [['deploy', '--replay', '--detach', '--once'], 'remove one of the two options'],
    [['deploy', '--replay'], 'contains no recording'],
    [['deploy', '--replay', 'none.csv'], 'there is no such file'],
    [['restart'], 'this workspace is not deployed'],
    [['logs'], 'crunch deploy'],
    [['simulate', '--recording', 'none.csv'], 'there is no such file'],
  ])('explains in a workspace that is not deployed why %j is impossible', async (argv, message) => {
    await write('node/contract.ts')
    const { exitCode, err } = await crunch(argv)
    expect(err).toContain(message)
    expect(exitCode).toBe(1)
  })

  it('reports all problems at once, and starts nothing', async () => {
    await write('node/contract.ts', 'import { missing } from "./not-there.ts"\nexport default missing\n')
    await write('node/.env', 'FEED_SUBJECT=BTC\nREPORT_API_PORT=0\n')
    const { exitCode, err } = await crunch(['deploy'])
    expect(exitCode).toBe(1)
    expect(err).toContain('did you mean FEED_SUBJECTS?')
    expect(err).toContain('REPORT_API_PORT')
    expect(err).toContain('not-there.ts')
    expect(err).toContain('Nothing was started.')
    await expect(readFile(join(root, 'node/.crunch/supervisor.json'))).rejects.toThrow('ENOENT')
  })

  it('names a port in use, its setting and the process that uses it', async () => {
    const server = await listen()
    const port = portOf(server)
    await write('node/contract.ts', 'export default {}')
    await write('node/deployment/model-orchestrator-local/config/models.dev.yml', 'models: []\n')
    const { exitCode, out } = await crunch(['check'], { env: { REPORT_API_PORT: String(port) } })
    await new Promise((resolve) => server.close(resolve))
    expect(exitCode).toBe(1)
    expect(out).toContain(`port ${port} (REPORT_API_PORT)`)
    if (process.platform === 'linux') expect(out).toContain(`process ${process.pid}`)
    expect(out).toContain('is not a valid contract')
    expect(out).toContain('desired_state: RUNNING')
  })

  it('refuses a replay into the database of live data', async () => {
    await write('node/contract.ts', 'export default {}')
    const { out } = await crunch(['check'], {
      env: { FEED_REPLAY_FILES: 'a.csv', REPORT_API_PORT: '1', MODEL_RUNNER_NODE_PORT: '1' },
    })
    expect(out).toContain('database of live data')
    expect(out).toContain('use a different port for each')
  })

  it('shows the logs of the given services, merged by time', async () => {
    await write('node/contract.ts')
    const line = (time: number, msg: string) => `${JSON.stringify({ level: 30, time, msg })}\n`
    await write('node/.crunch/logs/predict.log', line(1, 'one') + line(3, 'three'))
    await write('node/.crunch/logs/score.log', line(2, 'two'))
    await write('node/.crunch/logs/report.log', line(4, 'four'))
    const { out } = await crunch(['logs', 'score', 'feed-data', 'predict'])
    expect(out.match(/one|two|three|four/g)).toEqual(['one', 'two', 'three'])
    const { exitCode, err } = await crunch(['logs', 'score', 'prediction'])
    expect(exitCode).toBe(1)
    expect(err).toContain('service "prediction": there is no log of it\n  fix: name one of: predict, report, score')
  })

  it('reports that nothing runs', async () => {
    await write('node/contract.ts')
    expect(await crunch(['status', '--json'])).toMatchObject({ exitCode: 0, out: '{"deployed":false}' })
    expect(await crunch(['down'])).toMatchObject({ exitCode: 0, out: 'Nothing runs here.' })
  })
})

describe('findWorkspace', () => {
  it('finds the node from the root of the workspace, from inside the node and from its siblings', async () => {
    await write('node/contract.ts')
    await write('node/deployment/x')
    await write('challenge/src/x')
    for (const folder of ['.', 'node', 'node/deployment', 'challenge/src']) {
      expect(findWorkspace(join(root, folder)).nodeDirectory).toBe(join(root, 'node'))
    }
  })

  it('uses the nearest contract', async () => {
    await write('node/contract.ts')
    await write('other/contract.js')
    expect(findWorkspace(join(root, 'other')).contractPath).toBe(join(root, 'other/contract.js'))
  })
})

describe('portState', () => {
  it('distinguishes free ports from ports in use', async () => {
    const server = await listen()
    const port = portOf(server)
    expect(await portState(port)).toMatchObject({ state: 'taken' })
    await new Promise((resolve) => server.close(resolve))
    expect(await portState(port)).toEqual({ state: 'free' })
  })
})

function listen(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('the server does not listen')
}
