/** How often the watch reads the clocks. */
const BEAT_MS = 100
/**
 * Two readings further apart than this are a stall. No answer keeps this process busy for this long: its content is limited
 * (`domain/answer-size.ts`), and answers are read and judged in separate turns of the event loop.
 */
const MAX_GAP_MS = 250

/** Milliseconds of two clocks. */
export interface Clocks {
  /** Advances while the process is stopped, but not while the machine is suspended. */
  readonly monotonic: () => number
  /** Advances while the machine is suspended, and jumps when it is set. */
  readonly wall: () => number
}

const machineClocks: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() }
const monotonicAlone: Clocks = { ...machineClocks, wall: () => 0 }

/** Measures stalls of this process: it was stopped, its machine was suspended, or it was too busy. */
export interface StallWatch {
  /** Milliseconds lost since the watch began, including a stall that is just ending. */
  lostMs(): number
  /** Starts a stopwatch that returns the elapsed time by whichever clock advanced further. */
  start(): () => number
  stop(): void
}

export function startStallWatch(clocks: Clocks = machineClocks): StallWatch {
  let elapsedMs = startStopwatch(clocks)
  let lost = 0
  const gapMs = () => Math.max(0, elapsedMs() - MAX_GAP_MS)
  const timer = setInterval(() => {
    lost += gapMs()
    elapsedMs = startStopwatch(clocks)
  }, BEAT_MS)
  timer.unref()
  return {
    // Whatever code runs first after a stall detects the gap here.
    lostMs: () => lost + gapMs(),
    start: () => startStopwatch(clocks),
    stop: () => clearInterval(timer),
  }
}

/** For in-process models, which keep this process busy themselves: reports no stalls. */
export const noStalls: StallWatch = {
  lostMs: () => 0,
  start: () => startStopwatch(monotonicAlone),
  stop: () => {},
}

/** A clock that was set back is ignored. Otherwise the larger of the two gaps counts. */
function startStopwatch({ monotonic, wall }: Clocks): () => number {
  const monotonicStart = monotonic()
  const wallStart = wall()
  return () => Math.max(monotonic() - monotonicStart, wall() - wallStart)
}
