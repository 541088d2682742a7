import type { Schedule } from '../../domain/round.ts'
import { floorToGrid, type Instant } from '../../domain/time.ts'

/** A schedule whose grid cell has no round yet. */
export interface DueSchedule {
  readonly schedule: Schedule
  /** Whole cells without a round between the previous round and this one, missed by the coordinator. */
  readonly missedBefore: number
}

/** The schedules that open a round at an instant: at most one round per grid cell of `every`, never before the last one. */
export function dueSchedules(
  schedules: readonly Schedule[],
  lastRoundTimes: ReadonlyMap<string, Instant>,
  at: Instant,
): DueSchedule[] {
  return schedules.flatMap((schedule) => {
    const last = lastRoundTimes.get(schedule.key)
    if (last === undefined) return [{ schedule, missedBefore: 0 }]
    const cells = (floorToGrid(at, schedule.everyMs) - floorToGrid(last, schedule.everyMs)) / schedule.everyMs
    return cells > 0 ? [{ schedule, missedBefore: cells - 1 }] : []
  })
}
