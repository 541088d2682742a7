import { modelEnvironment } from './model-environment.ts'
import type { PythonInterpreter } from './python-interpreter.ts'
import { RunFailure } from './run-failure.ts'
import type { Workshop } from './workshop.ts'

const CHECK_LIMIT_MS = 60_000

const CHECK = `
import ast, json, sys
try:
    ast.parse(open(sys.argv[1], encoding="utf-8").read())
except SyntaxError as error:
    print(json.dumps([error.lineno or 1, error.msg or "invalid syntax"]))
`

/**
 * The first syntax error in `file` as that Python sees it, its line from 1; null when there is none. The machine's own Python
 * reads it, without the submission's packages: those may bring code that runs whenever a Python starts.
 */
export async function checkPythonSyntax(input: {
  readonly interpreter: PythonInterpreter
  readonly file: string
  readonly signal: AbortSignal
  readonly workshop: Workshop
}): Promise<{ readonly line: number; readonly message: string } | null> {
  const { interpreter, file, signal, workshop } = input
  const { code, isLate, over, stdout } = await workshop.run({
    command: interpreter.executable,
    args: ['-I', '-S', '-c', CHECK, file],
    directory: '/',
    environment: modelEnvironment(process.env),
    programs: [interpreter.executable],
    readable: [file],
    writable: [],
    limitMs: CHECK_LIMIT_MS,
    signal,
  })
  if (code !== 0) {
    const why =
      over !== null
        ? `was stopped because it ${over}`
        : isLate
          ? `took ${CHECK_LIMIT_MS} ms`
          : `exited with code ${code}`
    throw new RunFailure('BUILD_FAILED', `the check of ${file} ${why}; write a shorter program`)
  }
  const [answer] = stdout
  if (answer === undefined) return null
  const [line, message]: [number, string] = JSON.parse(answer)
  return { line, message }
}
