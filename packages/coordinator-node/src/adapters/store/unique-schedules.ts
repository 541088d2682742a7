import type { Schedule } from '../../domain/round.ts'

/** Returns the schedules; throws when two have the same key. */
export function uniqueSchedules(schedules: readonly Schedule[]): readonly Schedule[] {
  const keys = new Set<string>()
  for (const { key } of schedules) {
    if (keys.has(key)) throw new Error(`two schedules have the key "${key}": give one of them another`)
    keys.add(key)
  }
  return [...schedules]
}
