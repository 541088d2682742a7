import type { Round } from '../../domain/round.ts'
import type { Log } from '../../ports/log.ts'

/** Rounds that the store refused because their period is closed: the coordinator missed them, and the next round of the schedule counts them. */
export interface RefusedRounds {
  add(round: Round, reason: string): void
  /** Number of refused rounds of the schedule that no later round has recorded yet. */
  unrecordedCount(scheduleKey: string): number
  /** An opening round records them; if it is refused as well, it returns them. */
  opens(scheduleKey: string): void
}

export function createRefusedRounds(log: Log): RefusedRounds {
  const missed = new Map<string, number>()
  const logged = new Set<string>()
  return {
    add({ id, scheduleKey, missedBefore }, reason) {
      missed.set(scheduleKey, (missed.get(scheduleKey) ?? 0) + missedBefore + 1)
      if (logged.has(scheduleKey)) return
      logged.add(scheduleKey)
      log.error(
        'a round was refused; it counts as missed by the node, like later ones of its schedule until one opens',
        {
          stage: 'prediction',
          roundId: id,
          reason,
        },
      )
    },
    unrecordedCount: (scheduleKey) => missed.get(scheduleKey) ?? 0,
    opens(scheduleKey) {
      // The last round was not refused, so the next refusal is logged again.
      if (!missed.delete(scheduleKey)) logged.delete(scheduleKey)
    },
  }
}
