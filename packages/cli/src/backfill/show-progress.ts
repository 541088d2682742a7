import type { BackfillJob, BackfillProgress } from '../engine.ts'
import { plainMs } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { count, percent } from './format-backfill.ts'

const redrawMs = 200

/** Shows the progress of a backfill: one line that is redrawn on a terminal, and one line per minute elsewhere. */
export function showProgress(
  job: BackfillJob,
  terminal: Pick<Terminal, 'err' | 'isErrInteractive'>,
  now: () => number = () => performance.now(),
) {
  const startedAtMs = now()
  let shownAtMs = Number.NEGATIVE_INFINITY
  let last: BackfillProgress | undefined
  let isDrawn = false

  function draw(progress: BackfillProgress): void {
    shownAtMs = now()
    const perSecond = (progress.recordCount - job.recordCount) / Math.max(0.001, (shownAtMs - startedAtMs) / 1_000)
    const at = new Date(progress.cursor).toISOString()
    const line = `${percent(progress).toFixed(1)} %, up to ${at}, ${count(progress.recordCount)} records, ${count(perSecond)}/s`
    // Move up to the previous line, and clear the screen from there.
    terminal.err(line, isDrawn ? 1 : 0)
    isDrawn = terminal.isErrInteractive
  }

  return {
    show(progress: BackfillProgress): void {
      last = progress
      if (now() - shownAtMs >= (terminal.isErrInteractive ? redrawMs : plainMs)) draw(progress)
    },
    /** Prints a message; the next progress line is drawn below it. */
    interrupt(message: string): void {
      terminal.err(message)
      isDrawn = false
    },
    /** Shows the final state. */
    end(): void {
      if (last !== undefined) draw(last)
    },
  }
}
