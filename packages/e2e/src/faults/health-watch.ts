import { setTimeout } from 'node:timers/promises'
import type { Change } from './audit.ts'

/** One answer of /healthz. Instants are Unix milliseconds of this process, whose clock no fault moves. */
export interface HealthSample {
  readonly askedAt: number
  readonly tookMs: number
  /** `null`: nobody answered, or not with a health. */
  readonly status: string | null
  /** Of HTTP; `null`: nobody answered. */
  readonly code: number | null
  readonly reasons: readonly string[]
}

export interface HealthWatch {
  readonly samples: readonly HealthSample[]
  stop(): Promise<void>
}

const pollMs = 250
const patienceMs = 10_000

/** Asks for the health of a node several times a second, whatever happens to the node. */
export function watchHealth(apiPort: number): HealthWatch {
  const samples: HealthSample[] = []
  const ending = new AbortController()
  const watching = (async () => {
    while (!ending.signal.aborted) {
      samples.push(await ask(apiPort))
      await setTimeout(pollMs)
    }
  })()
  return {
    samples,
    async stop() {
      ending.abort()
      await watching
    },
  }
}

async function ask(apiPort: number): Promise<HealthSample> {
  const askedAt = Date.now()
  const startedMs = performance.now()
  const sample = (code: number | null, status: string | null, reasons: readonly string[]) => ({
    ...{ askedAt, tookMs: performance.now() - startedMs, code, status, reasons },
  })
  try {
    const response = await fetch(`http://127.0.0.1:${apiPort}/healthz`, { signal: AbortSignal.timeout(patienceMs) })
    const text = await response.text()
    const { status, reasons } = JSON.parse(text) as { status?: string; reasons?: readonly string[] }
    // An answer without them is the API's own failure, whose words are then the reason.
    return sample(response.status, status ?? null, reasons ?? [`${response.status} ${text}`])
  } catch (error) {
    return sample(null, null, [String(error)])
  }
}

/** What has to go on while a node is well, and how long nothing of it may be seen. */
export interface Progress {
  readonly what: string
  readonly limitMs: number
  readonly isSeen: (change: Change) => boolean
  /** When it may not be told, for a reason. */
  readonly excused?: readonly Span[]
}

/** Unix milliseconds, both included. */
export interface Span {
  readonly from: number
  readonly through: number
}

/** Answers of the API that tell no health: its own failures. */
export function failedHealth(samples: readonly HealthSample[]): readonly string[] {
  return samples
    .filter(({ code, status }) => code !== null && (status === null || (code !== 200 && code !== 503)))
    .map(({ askedAt, code, reasons }) => `${new Date(askedAt).toISOString()}: ${code} ${reasons.join('; ')}`)
}

/** Answers of "ok" while something had stood still for longer than its limit: the first of each stretch. */
export function untrueHealth(
  samples: readonly HealthSample[],
  changes: readonly Change[],
  progress: readonly Progress[],
): readonly string[] {
  return progress.flatMap(({ what, limitMs, isSeen, excused = [] }) => {
    const seenAt = changes.filter(isSeen).map(({ at }) => at)
    const found: string[] = []
    let reportedFor: number | undefined
    for (const { askedAt, status } of samples) {
      // Before the first there is nothing that could stand still.
      const newest = seenAt.findLast((at) => at <= askedAt)
      if (status !== 'ok' || newest === undefined || askedAt - newest <= limitMs || reportedFor === newest) continue
      if (isWithin(excused, askedAt)) continue
      reportedFor = newest
      const stillMs = askedAt - newest
      found.push(`"ok" at ${new Date(askedAt).toISOString()}, ${stillMs} ms after the newest ${what}`)
    }
    return found
  })
}

const isWithin = (spans: readonly Span[], at: number) => spans.some(({ from, through }) => at >= from && at <= through)

/** Answers that took longer than `limitMs`, but for those that were asked for while the process that answers was at fault. */
export function slowHealth(
  samples: readonly HealthSample[],
  limitMs: number,
  excused: readonly Span[],
): readonly string[] {
  return samples
    .filter(({ askedAt, tookMs }) => {
      const isExcused = excused.some(({ from, through }) => askedAt <= through && askedAt + tookMs >= from)
      return tookMs > limitMs && !isExcused
    })
    .map(
      ({ askedAt, tookMs, status }) =>
        `asked at ${new Date(askedAt).toISOString()}: ${status} after ${Math.round(tookMs)} ms`,
    )
}
