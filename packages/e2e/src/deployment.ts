import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { embeddedPostgresStatus } from '@crunch/embedded-postgres'
import { execa } from 'execa'
import postgres from 'postgres'
import { askSupervisor } from '../../cli/src/supervisor/control.ts'
import type { ServiceStatus } from '../../cli/src/supervisor/service-definition.ts'
import { readLiveSupervisor } from '../../cli/src/supervisor/supervisor-record.ts'
import { freePort } from './free-port.ts'
import { killHard, processesOf } from './processes.ts'
import { until } from './until.ts'
import { removeDatabases, type UserWorkspace } from './workspace.ts'

/** Output and exit of a command. */
export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A workspace with its own ports, operated by its installed `crunch`. */
export interface Node {
  readonly directory: string
  readonly apiPort: number
  readonly modelRunnerPort: number
  /** Runs a command to its end, for at most `limitMs`. A failure is a result, not an error. */
  crunch(args: readonly string[], env?: Readonly<Record<string, string>>, limitMs?: number): Promise<CommandResult>
  /** Starts a command that the test kills. */
  startCrunch(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess
  /** Starts a replay in the background; throws with its output when it fails to start. */
  deployReplay(options?: ReplayOptions): Promise<void>
  /** The services of the running deployment by name. Asks the supervisor itself: tests ask repeatedly, and `crunch status` is a process. */
  services(): Promise<Readonly<Record<string, ServiceStatus>>>
  /** A client for the database of the running replay. */
  database(): Promise<postgres.Sql>
  /** The answer of the report API. */
  api(path: string): Promise<unknown>
}

export interface ReplayOptions {
  readonly recording?: string
  readonly speed?: number | 'max'
  readonly resume?: boolean
  readonly env?: Readonly<Record<string, string>>
}

const commandLimitMs = 150_000

export async function openNode({ directory, crunch: program }: UserWorkspace): Promise<Node> {
  const apiPort = await freePort()
  const modelRunnerPort = await freePort()
  const ports = {
    REPORT_API_PORT: `${apiPort}`,
    MODEL_RUNNER_NODE_PORT: `${modelRunnerPort}`,
    MODEL_ORCHESTRATOR_HTTP_PORT: `${await freePort()}`,
  }

  async function crunch(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    limitMs = commandLimitMs,
  ): Promise<CommandResult> {
    const result = await execa(program, args, {
      cwd: directory,
      env: { ...ports, ...env },
      reject: false,
      timeout: limitMs,
    })
    if (result.timedOut) throw new Error(`crunch ${args.join(' ')} still ran after ${limitMs} ms`)
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr }
  }

  return {
    directory,
    apiPort,
    modelRunnerPort,
    crunch,
    startCrunch: (args, env = {}) =>
      spawn(program, args, { cwd: directory, env: { ...process.env, ...ports, ...env }, stdio: 'ignore' }),
    async deployReplay({ recording, speed = 'max', resume = false, env = {} } = {}) {
      const args = ['deploy', '--replay', ...(recording === undefined ? [] : [recording])]
      args.push('--speed', String(speed), '--detach', ...(resume ? ['--resume'] : []))
      const { exitCode, stdout, stderr } = await crunch(args, env)
      if (exitCode !== 0) throw new Error(`crunch ${args.join(' ')} ended with ${exitCode}:\n${stdout}\n${stderr}`)
    },
    async services() {
      const record = await readLiveSupervisor(join(directory, 'node/.crunch'))
      if (record === undefined) return {}
      const { services } = await askSupervisor(record.socketPath, { command: 'status' })
      return Object.fromEntries(services.map((service) => [service.name, service]))
    },
    database: () => connectReplayDatabase(directory),
    async api(path) {
      const response = await fetch(`http://127.0.0.1:${apiPort}${path}`, { signal: AbortSignal.timeout(30_000) })
      return response.json()
    },
  }
}

async function connectReplayDatabase(directory: string): Promise<postgres.Sql> {
  const status = await embeddedPostgresStatus(join(directory, 'node/.crunch/replay-postgres'))
  if (status.state !== 'running') {
    throw Object.assign(new Error(`no database of a replay runs in ${directory}`), { code: 'NO_DATABASE' })
  }
  return connectDatabase(status.url)
}

/** Whether an error only means that the database is stopped, starting, or was killed in the meantime. */
export function isDatabaseAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(NO_DATABASE|CONNECT|CONNECTION_|E[A-Z]+$|57P0)/.test(code)
}

/** Parses counts as numbers, and instants as milliseconds like the engine. */
export function connectDatabase(url: string): postgres.Sql {
  return postgres(url, {
    max: 1,
    connect_timeout: 5,
    onnotice: () => undefined,
    connection: { TimeZone: 'UTC', statement_timeout: 30_000 },
    types: {
      count: { to: 20, from: [20], serialize: String, parse: Number },
      instant: {
        to: 1184,
        from: [1184],
        serialize: (at: number) => new Date(at).toISOString(),
        parse: (text: string) => new Date(text).getTime(),
      },
    },
  }) as unknown as postgres.Sql
}

/** Ends all processes of a workspace in any state, and removes its databases. */
export async function endDeployment(directory: string): Promise<void> {
  const crunch = join(directory, 'node_modules/.bin/crunch')
  await execa(crunch, ['down'], { cwd: directory, reject: false, timeout: 45_000 })
  await until('every process of the workspace to end', 60_000, async () => {
    const left = await processesOf(directory)
    for (const { pid } of left) killHard(pid)
    return left.length === 0
  })
  await removeDatabases(directory)
}
