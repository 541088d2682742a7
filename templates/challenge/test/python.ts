import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TickData } from '../src/index.ts'

/** One round for every example: the data before it, and the truth. */
export interface RecordedRound {
  readonly tick: TickData
  readonly truth: number
}

const folder = fileURLToPath(new URL('../python', import.meta.url))

/** Why the Python package cannot be tested on this machine; `undefined` if it can. */
export function whyNoPython(): string | undefined {
  const { error, stdout, status } = runPython(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  if (error !== undefined) return `python3 cannot be started (${error.message}): install Python 3.11 or newer`
  if (status !== 0) return 'python3 exists but does not run: install Python 3.11 or newer'
  const [major = 0, minor = 0] = stdout.trim().split('.').map(Number)
  const isEnough = major > 3 || (major === 3 && minor >= 11)
  return isEnough ? undefined : `python3 is ${stdout.trim()}: the models' base class needs Python 3.11 or newer`
}

/** Runs the tests of `python/` and returns their output, which ends with OK if all tests passed. */
export function runPythonTests(): string {
  const { stdout, stderr } = runPython(['-m', 'unittest'])
  return `${stdout}${stderr}`.trim()
}

/** The answers and scores of the Python examples: by example, `[prediction, score]` of each round. */
export function pythonAnswers(rounds: readonly RecordedRound[]): Record<string, [unknown, unknown][]> {
  const { stdout, stderr, status } = runPython(['-m', 'tests.answers'], JSON.stringify(rounds))
  if (status !== 0) throw new Error(`the Python examples failed: ${stderr}`)
  return JSON.parse(stdout)
}

function runPython(args: readonly string[], input = '') {
  return spawnSync('python3', args, {
    cwd: folder,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    input,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 60_000,
  })
}
