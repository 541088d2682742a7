import type { Terminal } from './terminal.ts'

const interactiveMs = 1_000
/** In a log of CI, a line a minute shows that the work goes on, and no more. */
const plainMs = 60_000

/** Shows how far long work is: a line each second to a person, a line a minute to anything else. `text` is called when it is shown. */
export function createProgress(
  terminal: Pick<Terminal, 'err' | 'isInteractive'>,
  now: () => number = () => performance.now(),
): (text: () => string) => void {
  const everyMs = terminal.isInteractive ? interactiveMs : plainMs
  let shownAtMs = now()
  return (text) => {
    if (now() - shownAtMs < everyMs) return
    shownAtMs = now()
    terminal.err(text())
  }
}
