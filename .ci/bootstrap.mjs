// Takes a fresh clone to where a command can run, with Node and npm only: pnpm comes by npx, then what is missing is
// installed and built. Usage: node .ci/bootstrap.mjs test|demo|setup [arguments of that command]
import { spawnSync } from 'node:child_process'
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

/** Runs a command in the repository with its output shown; a failure ends this process with its exit code. */
function run(command, args, { quiet = false } = {}) {
  // turbo and the demo look for pnpm on the path.
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  const result = spawnSync(command, args, { cwd: root, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' })
  if (result.error) throw result.error
  if (result.status === 0) return
  if (quiet) process.stderr.write(`${result.stdout}${result.stderr}`)
  process.exit(result.status ?? 1)
}

/** The lock file as of which the packages were last installed stands beside them. */
function isInstalled() {
  const marker = join(root, 'node_modules', '.modules.yaml')
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml')
  if (!existsSync(marker) || !existsSync(installed)) return false
  return statSync(installed).mtimeMs >= statSync(join(root, 'pnpm-lock.yaml')).mtimeMs
}

/** @param build the turbo task: `build`, or `build:js` without the types, which takes a third of the time */
function setUp({ quiet, build = 'build' }) {
  if (!isInstalled()) {
    console.log('- installing packages')
    run(npx, ['-y', packageManager, 'install', '--frozen-lockfile', '--prefer-offline'], { quiet })
  }
  console.log('- building what is missing')
  run('turbo', ['run', build, '--output-logs=errors-only'], { quiet })
}

switch (task) {
  case 'setup':
    setUp({ quiet: false })
    break
  case 'test':
    setUp({ quiet: true })
    run('node', ['.ci/run-tests.mjs', ...rest])
    break
  case 'demo':
    setUp({ quiet: true, build: 'build:js' })
    run('node', ['--import', 'tsx', 'packages/e2e/src/demo.ts', ...rest])
    break
  default:
    console.error('usage: node .ci/bootstrap.mjs test|demo|setup')
    process.exit(2)
}
