import { zone } from '../data/preferences.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A length of time in two units at most: `4 s`, `2 min`, `3 h 10 min`, `5 d 4 h`. */
export function duration(ms: number): string {
  const length = Math.max(0, ms)
  if (length < minute) return `${Math.floor(length / second)} s`
  if (length < hour) return `${Math.floor(length / minute)} min`
  const [large, small, names] =
    length < day ? ([hour, minute, ['h', 'min']] as const) : ([day, hour, ['d', 'h']] as const)
  const rest = Math.floor((length % large) / small)
  return `${Math.floor(length / large)} ${names[0]}${rest === 0 ? '' : ` ${rest} ${names[1]}`}`
}

/** Time left: seconds are shown under an hour, as in `12:05`. */
export function countdown(ms: number): string {
  if (ms <= 0) return '0:00'
  if (ms >= hour) return duration(ms)
  const seconds = Math.floor(ms / second)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export function ago(ms: number): string {
  return ms < 0 ? `in ${duration(-ms)}` : `${duration(ms)} ago`
}

/**
 * The clock from which a time is counted while a replay is at another time than this machine: what lies after the replay's time, and
 * nearer to the machine's, was noted by a clock on the wall. All in ms.
 */
export function clockOf(ms: number, replay: number, wall: number): number {
  return ms > replay && Math.abs(wall - ms) < ms - replay ? wall : replay
}

/** Milliseconds of a time of the API; those of chart series have no zone and are UTC. */
export function msOf(time: string): number {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`)
}

/** `2026-03-01 10:20:00`, in the zone that the viewer chose. */
export function instant(ms: number): string {
  return parts(ms, { second: '2-digit' })
}

/** `2026-03-01 10:20` */
export function minuteOf(ms: number): string {
  return parts(ms, {})
}

/** `10:20` */
export function clockTime(ms: number): string {
  return minuteOf(ms).slice(-5)
}

/** `2026-03-01` */
export function dayOf(ms: number): string {
  return minuteOf(ms).slice(0, 10)
}

/** What stands behind a time: `UTC`, or the zone of this machine. */
export function zoneName(): string {
  return zone.value === 'utc' ? 'UTC' : (Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'local')
}

/** Making a format takes far longer than using it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function parts(ms: number, more: Intl.DateTimeFormatOptions): string {
  const name = `${zone.value} ${Object.keys(more).join()}`
  const known = formats.get(name)
  if (known !== undefined) return known.format(ms)
  const format = new Intl.DateTimeFormat('sv-SE', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    ...more,
    ...(zone.value === 'utc' ? { timeZone: 'UTC' } : {}),
  })
  formats.set(name, format)
  return format.format(ms)
}
