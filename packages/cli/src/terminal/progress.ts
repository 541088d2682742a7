import type { Terminal } from './terminal.ts'

const interactiveMs = 1_000
/** Without a terminal, e.g. in CI, one line per minute is enough to show that the work continues. */
export const plainMs = 60_000

/** Shows the progress of long work. `text` is called only when a line is printed. */
export type Progress = (text: () => string) => void

/** Prints a line per second to a terminal, and a line per minute elsewhere. */
export function createProgress(
  terminal: Pick<Terminal, 'err' | 'isErrInteractive'>,
  now: () => number = () => performance.now(),
): Progress {
  const everyMs = terminal.isErrInteractive ? interactiveMs : plainMs
  let shownAtMs = now()
  return (text) => {
    if (now() - shownAtMs < everyMs) return
    shownAtMs = now()
    terminal.err(text())
  }
}
