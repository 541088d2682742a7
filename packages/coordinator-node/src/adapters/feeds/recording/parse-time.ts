import type { Instant } from '../../../domain/time.ts'

const epochMs = /^\d{12,14}$/
const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/**
 * A time as recordings write it: an ISO 8601 date or date-time (UTC unless it carries a zone; finer than a millisecond is
 * cut), or epoch milliseconds after 1973, so that seconds, microseconds and years are never taken for them.
 * `undefined` when the text is none.
 */
export function parseTime(text: string): Instant | undefined {
  if (epochMs.test(text)) return Number(text)
  const match = iso.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as Six
  const fractionMs = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isCalendarDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isCalendarDay || hour > 23 || minute > 59 || second > 59) return undefined
  const offsetMs = zoneOffsetMs(match[8] ?? 'Z')
  if (offsetMs === undefined) return undefined
  return date.getTime() + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fractionMs - offsetMs
}

type Six = [number, number, number, number, number, number]

function zoneOffsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || 0)
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000)
}
