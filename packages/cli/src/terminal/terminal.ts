import { createInterface } from 'node:readline/promises'
import { printableLines } from '@crunch/local-processes'

/** Input, output and working folder of a command. */
export interface Terminal {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** True if `out` is a terminal, on which lines can be redrawn. */
  readonly isInteractive: boolean
  /** Like `isInteractive`, for `err`. */
  readonly isErrInteractive: boolean
  /** The current size of the terminal, in characters and lines. */
  size(): { readonly columns: number; readonly rows: number }
  /** Prints results. `over`: the number of previous lines to redraw. */
  out(text: string, over?: number): void
  /** Prints progress and failures. */
  err(text: string, over?: number): void
  /** Asks a question and returns the typed line; undefined without an interactive terminal. */
  ask?(question: string): Promise<string>
  /** Aborts when the operator wants the command to end (Ctrl-C, SIGTERM). */
  readonly signal: AbortSignal
}

/** npm forwards a Ctrl-C that the terminal has already sent: a second signal within this time is the same Ctrl-C. */
const sameCtrlCMs = 1_000

/**
 * Handles signals: the first one aborts, and a Ctrl-C more than a second later calls `exit`. `now` is a monotonic clock in
 * milliseconds.
 */
export function signalHandler(ending: AbortController, exit: () => void, now: () => number) {
  let firstAtMs: number | undefined
  return (signal: NodeJS.Signals): void => {
    firstAtMs ??= now()
    if (signal === 'SIGINT' && now() - firstAtMs > sameCtrlCMs) exit()
    else ending.abort()
  }
}

/**
 * Escapes control characters in a text and encodes it. All output of commands passes through this function, so that names, logs
 * and errors of participants cannot control the terminal.
 */
export function terminalText(text: string, over = 0): string {
  return `${over > 0 ? `\u001b[${over}A\u001b[0J` : ''}${printableLines(text)}\n`
}

/** The terminal of this process. A second Ctrl-C ends it at once. */
export function processTerminal(): Terminal {
  const ending = new AbortController()
  const onSignal = signalHandler(
    ending,
    () => process.exit(130),
    () => performance.now(),
  )
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  // `crunch logs | head` closes the pipe. That ends the command without an error.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => ending.abort())
  return {
    cwd: process.cwd(),
    env: process.env,
    isInteractive: process.stdout.isTTY === true,
    isErrInteractive: process.stderr.isTTY === true,
    size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
    out: (text, over) => process.stdout.write(terminalText(text, over)),
    err: (text, over) => process.stderr.write(terminalText(text, over)),
    signal: ending.signal,
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask: (question) => askLine(question, ending.signal) } : {}),
  }
}

/** Reads a line; empty if the input ends or the operator ends the command. */
async function askLine(question: string, signal: AbortSignal): Promise<string> {
  // In raw mode, Ctrl-C would be an ordinary character.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    return (await Promise.race([lines.question(printableLines(question), { signal }), ended])).trim()
  } catch (error) {
    if (signal.aborted) return ''
    throw error
  } finally {
    lines.close()
  }
}
