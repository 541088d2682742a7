import { errorText } from '@crunch/local-processes/errors'
import type { ProcessGuard } from '../../process/process-guard.ts'
import { runProgram } from '../../process/run-program.ts'
import { RunFailure } from '../../run-failure.ts'

/** The runner needs Python 3.11. */
const LOWEST_MINOR = 11

/** A version manager's wrapper takes seconds to start on a busy machine. */
const PROBE_LIMIT_MS = 30_000

const PROBE = `
import importlib.util, json, sys
print(json.dumps([list(sys.version_info[:3]), sys.executable, importlib.util.find_spec("pip") is not None]))
`

/** A Python that can host models. */
export interface PythonInterpreter {
  /** The absolute path of the interpreter itself, not of a wrapper that chooses one. */
  readonly executable: string
  /** `3.11.7` */
  readonly version: string
  /** Whether pip is installed for it: Debian packages pip on its own. */
  readonly hasPip: boolean
}

/** Asks `program` for its version. Throws `BUILD_FAILED` when it is absent or older than 3.11. */
export async function findPython(input: {
  readonly program: string
  readonly environment: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly guard: ProcessGuard
}): Promise<PythonInterpreter> {
  const { program } = input
  const fix = `install Python 3.${LOWEST_MINOR} or newer, or name one with MODEL_ORCHESTRATOR_PYTHON`
  const errors: string[] = []
  const probed = await runProgram({
    command: program,
    // Isolated, because pip runs so: it does not see packages of the operator's account.
    args: ['-I', '-c', PROBE],
    directory: '/',
    environment: input.environment,
    limitMs: PROBE_LIMIT_MS,
    signal: input.signal,
    guard: input.guard,
    onLine: (line, error) => error && errors.push(line),
  }).catch((error: unknown) => {
    input.signal.throwIfAborted()
    throw new RunFailure('BUILD_FAILED', `Python models need Python: ${errorText(error)}; ${fix}`, { cause: error })
  })
  const answer = readAnswer(probed.stdout.at(-1))
  if (probed.code !== 0 || answer === null) {
    const why = probed.isLate ? `did not answer within ${PROBE_LIMIT_MS} ms` : errors.slice(-3).join(' ')
    throw new RunFailure('BUILD_FAILED', `"${program}" does not report its Python version (${why}); ${fix}`)
  }
  const [major, minor] = answer.numbers
  const version = answer.numbers.join('.')
  if (major !== 3 || minor === undefined || minor < LOWEST_MINOR) {
    throw new RunFailure('BUILD_FAILED', `"${program}" is Python ${version}, which is too old; ${fix}`)
  }
  return { executable: answer.executable, version, hasPip: answer.hasPip }
}

function readAnswer(line = '') {
  try {
    const [numbers, executable, hasPip]: unknown[] = JSON.parse(line)
    if (!Array.isArray(numbers) || typeof executable !== 'string' || executable === '') return null
    return { numbers: numbers.map(Number), executable, hasPip: hasPip === true }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null
    throw error
  }
}
