import { clockTime, dayOf, minuteOf, msOf } from './times.ts'

/** `2026-03-01 10:00 – 11:00`, or with both days. */
export function periodText(start: string, end: string): string {
  const [from, to] = [msOf(start), msOf(end)]
  return `${minuteOf(from)} – ${dayOf(from) === dayOf(to) ? clockTime(to) : minuteOf(to)}`
}
