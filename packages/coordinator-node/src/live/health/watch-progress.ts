import { clockBehindRows, clockBesideStore } from '../../domain/progress/clock-trust.ts'
import type { NodeProgress } from '../../domain/progress/pipeline-progress.ts'
import { type PipelineGrid, standingStill } from '../../domain/progress/standing-still.ts'
import type { Stoppage } from '../../domain/progress/stoppage.ts'
import { describeLength, formatInstant, type Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'
import type { ProgressReport, Standstill } from '../../report/report-context.ts'

export interface ProgressWatch {
  /** Reads the stored facts, and logs changes. */
  look(): Promise<void>
  /** The result of the last check. It is an alarm if no check has succeeded for a while. */
  latest(): ProgressReport
}

export interface ProgressWatchOptions {
  readonly grid: PipelineGrid
  readonly reads: Pick<ReportReads, 'feedStates' | 'pipelineProgress' | 'storeTime'>
  readonly clock: Clock
  /** Tolerated clock skew. */
  readonly toleranceMs: number
  /** Replay speed as a multiple of real time; infinite: as fast as possible. 1 for a live node. */
  readonly speed: number
  readonly log: Log
  /** A monotonic clock. */
  readonly monotonicMs: () => number
}

/** After this long without a successful check, the last result is outdated. */
const lookLimitMs = 30_000

/** Checks the stored facts periodically, and reports what has stood still for too long. */
export function watchProgress(options: ProgressWatchOptions): ProgressWatch {
  const { grid, reads, clock, speed, log, monotonicMs } = options
  const beganAtMs = monotonicMs()
  let began: Instant | undefined
  let lookedAtMs = beganAtMs
  let report: ProgressReport = { alarms: [], notes: [] }
  /** By key: since when a standstill has been observed. */
  const seenSinceMs = new Map<string, number>()
  const reported = new Map<string, Standstill>()

  function overdue(found: readonly Stoppage[], nowMs: number): readonly Stoppage[] {
    for (const { key } of found) if (!seenSinceMs.has(key)) seenSinceMs.set(key, nowMs)
    const keys = new Set(found.map(({ key }) => key))
    for (const key of seenSinceMs.keys()) if (!keys.has(key)) seenSinceMs.delete(key)
    return found.filter(({ key, graceMs, dataGraceMs, mayBeWell = false }) => {
      const seenForMs = nowMs - (seenSinceMs.get(key) ?? nowMs)
      return !mayBeWell && seenForMs >= graceMs + dataGraceMs / speed
    })
  }

  function logChanges(standing: readonly Stoppage[]): void {
    const keys = new Set(standing.map(({ key }) => key))
    for (const stoppage of standing) {
      const { key } = stoppage
      const alarm = alarmOf(stoppage)
      if (!reported.has(key)) {
        const { stage, what, since, heldUpBy, fix } = alarm
        log.error(what, { event: 'standing-still', stage, since: formatInstant(since), heldUpBy, fix })
      }
      reported.set(key, alarm)
    }
    for (const [key, { stage, what }] of reported) {
      if (keys.has(key)) continue
      reported.delete(key)
      log.info(`no longer: ${what}`, { event: 'goes-on', stage })
    }
  }

  return {
    async look() {
      const before = await clock.refresh()
      began ??= before
      const storeAt = grid.isReplay ? null : await reads.storeTime()
      const after = await clock.refresh()
      const [feeds, progress] = await Promise.all([reads.feedStates(), reads.pipelineProgress(after)])
      const node: NodeProgress = { ...progress, feeds }
      const nowMs = monotonicMs()
      const looking = { since: began, forMs: nowMs - beganAtMs }
      const clocks = grid.isReplay ? [] : clockAlarms(node, storeAt, { before, after }, options.toleranceMs, reported)
      const standing = [...clocks, ...overdue(standingStill(grid, node, after, looking), nowMs)]
      logChanges(standing)
      report = {
        alarms: standing.map(alarmOf),
        notes: node.firstModelAt === null ? ['no model has joined yet: rounds open once one has'] : [],
      }
      lookedAtMs = nowMs
    },
    latest() {
      const blindMs = monotonicMs() - lookedAtMs
      if (blindMs < lookLimitMs) return report
      const blind = blindAlarm(clock.now(), blindMs)
      return { ...report, alarms: [blind, ...report.alarms] }
    },
  }
}

function alarmOf({ stage, what, since, heldUpBy, fix }: Stoppage): Standstill {
  return { stage, what, since, heldUpBy, fix }
}

function clockAlarms(
  node: NodeProgress,
  storeAt: Instant | null,
  { before, after }: { readonly before: Instant; readonly after: Instant },
  toleranceMs: number,
  reported: ReadonlyMap<string, Standstill>,
): Stoppage[] {
  const found = [
    clockBehindRows(node, after, toleranceMs),
    clockBesideStore(storeAt, before, after, toleranceMs),
  ].filter((one) => one !== null)
  return found.map(({ key, ...fault }) => ({
    stage: 'feed',
    key: `clock ${key}`,
    since: reported.get(`clock ${key}`)?.since ?? after,
    ...fault,
    graceMs: 0,
    dataGraceMs: 0,
  }))
}

function blindAlarm(now: Instant, blindMs: number): Standstill {
  return {
    stage: 'feed',
    what: 'the state of the pipeline cannot be read',
    since: now - blindMs,
    heldUpBy: `the database has not answered for ${describeLength(blindMs)}`,
    fix: 'check that it runs and accepts connections: crunch status, crunch logs postgres',
  }
}
