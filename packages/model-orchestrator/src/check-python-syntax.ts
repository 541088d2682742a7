import { modelEnvironment } from './model-environment.ts'
import type { ProcessGuard } from './process-guard.ts'
import { runProgram } from './run-program.ts'

const CHECK_LIMIT_MS = 60_000

const CHECK = `
import ast, json, sys
try:
    ast.parse(open(sys.argv[1], encoding="utf-8").read())
except SyntaxError as error:
    print(json.dumps([error.lineno or 1, error.msg or "invalid syntax"]))
`

/** The first syntax error in `file` as that Python sees it, its line from 1; null when there is none. */
export async function checkPythonSyntax(input: {
  readonly python: string
  readonly file: string
  readonly signal: AbortSignal
  readonly guard: ProcessGuard
}): Promise<{ readonly line: number; readonly message: string } | null> {
  const { python, file, signal, guard } = input
  const { stdout } = await runProgram({
    command: python,
    args: ['-I', '-c', CHECK, file],
    directory: '/',
    environment: modelEnvironment(process.env),
    limitMs: CHECK_LIMIT_MS,
    signal,
    guard,
  })
  const [answer] = stdout
  if (answer === undefined) return null
  const [line, message]: [number, string] = JSON.parse(answer)
  return { line, message }
}
