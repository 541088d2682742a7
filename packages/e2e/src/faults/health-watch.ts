import { setTimeout } from 'node:timers/promises'
import type { Change } from './audit.ts'

/** One answer of /healthz. Instants are Unix milliseconds of this process, whose clock faults do not change. */
export interface HealthSample {
  readonly askedAt: number
  readonly tookMs: number
  /** `null`: no answer, or the answer is not a health report. */
  readonly status: string | null
  /** HTTP status code; `null`: no answer. */
  readonly code: number | null
  readonly reasons: readonly string[]
}

export interface HealthWatch {
  readonly samples: readonly HealthSample[]
  stop(): Promise<void>
}

const pollMs = 250
const patienceMs = 10_000

/** Requests the health of a node several times a second, in any state of the node. */
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
    const { status, reasons } = readHealth(text)
    // An answer without reasons is a failure of the API itself; its text is used as the reason.
    return sample(response.status, status ?? null, reasons ?? [`${response.status} ${text}`])
  } catch (error) {
    return sample(null, null, [String(error)])
  }
}

function readHealth(text: string): { readonly status?: string; readonly reasons?: readonly string[] } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** An activity that must continue while a node is healthy, and its longest allowed pause. */
export interface Progress {
  readonly what: string
  readonly limitMs: number
  readonly isSeen: (change: Change) => boolean
  /** Spans in which the node may fail to report a standstill. */
  readonly excused?: readonly Span[]
}

/** Unix milliseconds, inclusive on both sides. */
export interface Span {
  readonly from: number
  readonly through: number
}

/** Answers of the API that are not health reports, i.e. its own failures. */
export function failedHealth(samples: readonly HealthSample[]): readonly string[] {
  return samples
    .filter(({ code, status }) => code !== null && (status === null || (code !== 200 && code !== 503)))
    .map(({ askedAt, code, reasons }) => `${new Date(askedAt).toISOString()}: ${code} ${reasons.join('; ')}`)
}

/** "ok" answers while an activity had stood still for longer than its limit (the first of each span), and activities never seen. */
export function untrueHealth(
  samples: readonly HealthSample[],
  changes: readonly Change[],
  progress: readonly Progress[],
): readonly string[] {
  return progress.flatMap(({ what, limitMs, isSeen, excused = [] }) => {
    const seenAt = changes.filter(isSeen).map(({ at }) => at)
    const found: string[] = seenAt.length === 0 ? [`no ${what} was seen in the whole run`] : []
    let reportedFor: number | undefined
    for (const { askedAt, status } of samples) {
      // No standstill is possible before the first event.
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

/** Answers that took longer than `limitMs`, except while the answering process was the target of a fault. */
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
