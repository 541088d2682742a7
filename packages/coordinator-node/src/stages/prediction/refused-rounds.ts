import type { Round } from '../../domain/round.ts'
import type { Log } from '../../ports/log.ts'

/** Rounds that the store refused, as their period is closed: they are missed by us, and the next round of the schedule says so. */
export interface RefusedRounds {
  add(round: Round, reason: string): void
  /** How many of the schedule no round has told of yet. */
  untold(scheduleKey: string): number
  /** A round opens that tells of them; should it be refused as well, it hands them back. */
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
      log.error('a round was refused; it counts as missed by us, like others of its schedule until one opens', {
        stage: 'prediction',
        roundId: id,
        reason,
      })
    },
    untold: (scheduleKey) => missed.get(scheduleKey) ?? 0,
    opens(scheduleKey) {
      // The last one was not refused: what comes next is news.
      if (!missed.delete(scheduleKey)) logged.delete(scheduleKey)
    },
  }
}
