/** How often the watch looks at the clocks. */
const BEAT_MS = 100
/**
 * Two looks further apart than this are a stall. No answer keeps this process busy for so long: what it may hold is limited
 * (`domain/answer-size.ts`), and answers are read and judged in turns.
 */
const MAX_GAP_MS = 250

/** Milliseconds of two clocks. */
export interface Clocks {
  /** Advances while the process is stopped, but not while the machine is suspended. */
  readonly monotonic: () => number
  /** Knows of a suspended machine, and jumps when it is set. */
  readonly wall: () => number
}

const machineClocks: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() }
const monotonicAlone: Clocks = { ...machineClocks, wall: () => 0 }

/** Knows how long this process stood still: because it was stopped, its machine was suspended, or it was too busy. */
export interface StallWatch {
  /** Milliseconds lost since the watch began, this very moment included. */
  lostMs(): number
  /** Answers how long ago it was called, by the clock that went further. */
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
    // Whatever runs first when the process wakes, the gap is known to it.
    lostMs: () => lost + gapMs(),
    start: () => startStopwatch(clocks),
    stop: () => clearInterval(timer),
  }
}

/** For models of this process: their own work is what keeps it busy. */
export const noStalls: StallWatch = {
  lostMs: () => 0,
  start: () => startStopwatch(monotonicAlone),
  stop: () => {},
}

/** A clock that was set back says nothing; of the other two cases the more cautious one counts. */
function startStopwatch({ monotonic, wall }: Clocks): () => number {
  const monotonicStart = monotonic()
  const wallStart = wall()
  return () => Math.max(monotonic() - monotonicStart, wall() - wallStart)
}
