import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TEST_ENVIRONMENTS } from '@crunch/python-peers'
import { runOnTerminal } from '../run-cli.fixture.ts'
import { selfCommand } from '../self-command.ts'

const templates = fileURLToPath(new URL('../../../../templates', import.meta.url))
const packages = fileURLToPath(new URL('../../..', import.meta.url))

/** A workspace of the weather pack that uses the packages of this repository; nothing is installed. */
export interface WeatherWorkspace {
  readonly directory: string
  readonly recording: string
  /** Writes a submission into a folder of the workspace and returns its path. */
  submission(name: string, main: string, file?: string): Promise<string>
  /** Runs a command in this process, where the engine is already loaded. */
  run(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<CrunchOutcome>
  /** Runs a command in a separate process. */
  crunch(argv: readonly string[], options?: CrunchOptions): Promise<CrunchOutcome>
  remove(): Promise<void>
}

export interface CrunchOptions {
  /** Called with each text on stderr, and a function that sends a signal to the process. */
  readonly onErr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

export interface CrunchOutcome {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** Creates a workspace in a temporary folder, as create-crunch does, with the first `days` of its recording. */
export async function openWeatherWorkspace(days: number): Promise<WeatherWorkspace> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'crunch-weather-')))
  const filter = (path: string) => !path.includes('node_modules')
  for (const part of ['challenge', 'node']) {
    await cp(join(templates, part), join(directory, part), { recursive: true, filter })
    await cp(join(templates, 'packs/weather', part), join(directory, part), { recursive: true, filter })
  }
  const recording = join(directory, 'node/recordings/weather.csv')
  const lines = (await readFile(recording, 'utf8')).split('\n')
  await writeFile(recording, `${lines.slice(0, 1 + 2 * days).join('\n')}\n`)
  await writeFile(join(directory, 'node/.env'), 'CRUNCH_ID=crunch-template\n')
  // Python environments are shared between test runs on this machine.
  await mkdir(TEST_ENVIRONMENTS, { recursive: true })
  await mkdir(join(directory, 'node/.crunch'))
  await symlink(TEST_ENVIRONMENTS, join(directory, 'node/.crunch/environments'))
  await linkPackages(join(directory, 'node_modules'), directory)
  return {
    directory,
    recording,
    async submission(name, main, file = 'main.ts') {
      const folder = join(directory, 'models', name)
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, file), main)
      return folder
    },
    run: (argv, env = {}) => runHere(argv, directory, env),
    crunch: (argv, options = {}) => runCrunch(argv, directory, options),
    remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  }
}

async function linkPackages(modules: string, directory: string): Promise<void> {
  const engine = join(packages, 'coordinator-node')
  const zod = dirname(createRequire(join(engine, 'package.json')).resolve('zod/package.json'))
  await mkdir(join(modules, '@crunch'), { recursive: true })
  await symlink(engine, join(modules, '@crunch/coordinator-node'))
  await symlink(zod, join(modules, 'zod'))
  await symlink(join(directory, 'challenge'), join(modules, 'crunch-template-challenge'))
}

async function runHere(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  return runOnTerminal(argv, { cwd, env: { ...process.env, ...env } })
}

async function runCrunch(argv: readonly string[], cwd: string, { onErr }: CrunchOptions): Promise<CrunchOutcome> {
  const { command, args } = selfCommand(argv)
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    onErr?.(text, (signal) => child.kill(signal))
  })
  const [exitCode] = await once(child, 'close')
  return { exitCode, out, err }
}
