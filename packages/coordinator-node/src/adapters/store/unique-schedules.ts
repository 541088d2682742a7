import type { Schedule } from '../../domain/round.ts'

/** The schedules as given; throws when two share a key. */
export function uniqueSchedules(schedules: readonly Schedule[]): readonly Schedule[] {
  const keys = new Set<string>()
  for (const { key } of schedules) {
    if (keys.has(key)) throw new Error(`two schedules have the key "${key}": give one of them another`)
    keys.add(key)
  }
  return [...schedules]
}
