import { createInterface } from 'node:readline/promises'
import { printableLines } from '@crunch/local-processes'

/** Where a command writes, reads and runs. */
export interface Terminal {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** True: `out` is looked at by a person and may be redrawn. */
  readonly isInteractive: boolean
  /** As `isInteractive`, for `err`. */
  readonly isErrInteractive: boolean
  /** What fits on it now, in characters and lines. */
  size(): { readonly columns: number; readonly rows: number }
  /** Results. `over`: so many of the lines that were written last are drawn over. */
  out(text: string, over?: number): void
  /** Progress and failures. */
  err(text: string, over?: number): void
  /** Asks a question and gives the line that was typed; absent where nobody can answer. */
  ask?(question: string): Promise<string>
  /** Aborts when the operator wants the command to end (Ctrl-C, SIGTERM). */
  readonly signal: AbortSignal
}

/** npm hands a Ctrl-C on to a program that the terminal has told already: what comes so soon after it is the same one. */
const sameCtrlCMs = 1_000

/**
 * What to do at a signal: the first aborts, and a Ctrl-C more than a second after the first signal is meant seriously and
 * calls `exit`. `now` is a monotonic clock in milliseconds.
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
 * The bytes of a text for a terminal. Everything that a command prints goes through here, so that nothing that a participant
 * wrote, a name, a log or an error, can steer the terminal: only what this adds can.
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
  // `crunch logs | head` closes the pipe: that ends the command, and is no failure.
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

/** The empty line when the input ends or the operator ends the command. */
async function askLine(question: string, signal: AbortSignal): Promise<string> {
  // Not in raw mode, in which Ctrl-C would be a letter.
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
