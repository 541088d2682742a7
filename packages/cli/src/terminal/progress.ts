import type { Terminal } from './terminal.ts'

const interactiveMs = 1_000
/** In a log of CI, a line a minute shows that the work goes on, and no more. */
export const plainMs = 60_000

/** Shows how far long work is; `text` is called when it is shown. */
export type Progress = (text: () => string) => void

/** A progress with a line each second to a person, and a line a minute to anything else. */
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
