import { runCli } from './run-cli.ts'
import type { Terminal } from './terminal/terminal.ts'

/** A non-interactive terminal that records its output, and passes it to `out` and `err` of `changes`. */
export function testTerminal(changes: Partial<Terminal> = {}) {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    ...{ cwd: '/', env: {}, isInteractive: false, isErrInteractive: false, signal: new AbortController().signal },
    size: () => ({ columns: 80, rows: 24 }),
    ...changes,
    out: (text) => {
      out.push(text)
      changes.out?.(text)
    },
    err: (text) => {
      err.push(text)
      changes.err?.(text)
    },
  }
  return { terminal, out, err }
}

/** Runs a command of `crunch` on such a terminal. */
export async function runOnTerminal(argv: readonly string[], changes: Partial<Terminal>) {
  const { terminal, out, err } = testTerminal(changes)
  const exitCode = await runCli(argv, terminal)
  return { exitCode, out: out.join('\n'), err: err.join('\n') }
}
