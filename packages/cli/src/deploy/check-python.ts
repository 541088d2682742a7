import { execFile } from 'node:child_process'
import { systemErrorCode } from '@crunch/local-processes'
import type { CliProblem } from '../cli-error.ts'

const lowestMinor = 11
/** The first start of Python on a busy machine takes seconds. */
const answerLimitMs = 30_000
const versionScript = 'import sys; print("%d.%d" % sys.version_info[:2])'

/** Why Python models cannot run with this interpreter; undefined if they can. */
export async function pythonProblem(
  program: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CliProblem | undefined> {
  const place = `${program} (MODEL_ORCHESTRATOR_PYTHON)`
  const fix = `install Python 3.${lowestMinor} or newer, or name one with MODEL_ORCHESTRATOR_PYTHON=... in .local.env`
  const output = await new Promise<string | Error>((resolve) => {
    const options = { env: { ...environment }, timeout: answerLimitMs }
    execFile(program, ['-c', versionScript], options, (error, stdout) => resolve(error ?? stdout.trim()))
  })
  if (typeof output !== 'string') {
    const cause =
      systemErrorCode(output) === 'ENOENT' ? 'there is no such program' : `it cannot be run (${output.message})`
    return { place, cause, fix }
  }
  const [major, minor] = output.split('.').map(Number)
  if (major === 3 && minor !== undefined && minor >= lowestMinor) return undefined
  return { place, cause: `it is Python ${output}, which is too old for Python models`, fix }
}
