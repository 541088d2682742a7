// Takes a fresh clone to where a command can run, with Node and npm only: pnpm comes by npx, then what is missing is
// installed and built. Usage: node .ci/bootstrap.mjs test|vitest|demo|packages|setup [arguments of that command]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
const [task, ...rest] = process.argv.slice(2)

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`This needs Node 20.19 or newer, and runs on ${process.versions.node}: install a newer Node.`)
  process.exit(1)
}

// Ctrl-C reaches the running command as well, which ends in its own way; this process only passes its exit code on.
let running
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT') running?.kill(signal)
  })
}

// A SIGTERM to npm ends it and its shell, and reaches nobody else: whoever is orphaned by it ends as well.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) running?.kill('SIGTERM')
}, 500).unref()

// A terminal that is closed takes no more output; the running command still ends in its own way.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** turbo and the demo look for pnpm on the path. */
function environment() {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  return { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
}

/** Runs a command in the repository; with `quiet` its output is shown only when it fails, which ends this process. */
async function run(command, args, { quiet = false } = {}) {
  running = spawn(command, args, {
    cwd: root,
    env: environment(),
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  })
  const output = []
  running.stdout?.on('data', (chunk) => output.push(chunk))
  running.stderr?.on('data', (chunk) => output.push(chunk))
  const [code] = await once(running, 'close')
  if (code === 0) return
  for (const chunk of output) process.stderr.write(chunk)
  process.exit(code ?? 1)
}

/** The lock file as of which the packages were last installed stands beside them. */
function isInstalled() {
  const marker = join(root, 'node_modules', '.modules.yaml')
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml')
  if (!existsSync(marker) || !existsSync(installed)) return false
  return statSync(installed).mtimeMs >= statSync(join(root, 'pnpm-lock.yaml')).mtimeMs
}

async function setUp({ quiet }) {
  if (!isInstalled()) {
    console.log('- installing packages')
    await run(npx, ['-y', packageManager, 'install', '--frozen-lockfile', '--prefer-offline'], { quiet })
  }
  console.log('- building what is missing')
  await run('turbo', ['run', 'build', '--output-logs=errors-only'], { quiet })
}

switch (task) {
  case 'setup':
    await setUp({ quiet: false })
    break
  case 'test':
    await setUp({ quiet: true })
    await run('node', ['.ci/run-tests.mjs', ...rest])
    break
  case 'vitest':
    await setUp({ quiet: true })
    await run('vitest', ['--config', 'vitest.workspace.ts', ...rest])
    break
  case 'demo':
    await setUp({ quiet: true })
    await run('node', ['--import', 'tsx', 'packages/e2e/src/demo.ts', ...rest])
    break
  case 'packages':
    await setUp({ quiet: true })
    await run('node', ['--import', 'tsx', 'packages/e2e/src/pack.ts', ...rest])
    break
  default:
    console.error('usage: node .ci/bootstrap.mjs test|vitest|demo|packages|setup')
    process.exit(2)
}
