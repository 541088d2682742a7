import { formatInstant, type Instant } from './time.ts'

/** Since 1970. */
export type EpochUnit = 's' | 'ms' | 'us' | 'ns'

/** The result of parsing a text or number as a time: an instant, or why it is not one and what to write instead. */
export type InstantReading =
  | {
      readonly at: Instant
      /** The format of the text. */
      readonly format: 'date' | EpochUnit
      /** A time of day without a zone, which is UTC by assumption. */
      readonly assumesUtc: boolean
    }
  | { readonly at: undefined; readonly cause: string; readonly fix: string }

type Refusal = Extract<InstantReading, { at: undefined }>

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?( ?Z| ?UTC|[+-]\d\d(?::?\d\d)?)?)?$/i
const isoBasic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i
const compact = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d{3})?)?)?)?$/
const digits = /^([1-9]\d*)(?:\.(\d*))?$/

const usualFix =
  'Write ISO 8601 (2026-03-01 or 2026-03-01T10:00:00Z), a compact date (20260301, 202603011000) or an epoch in s, ms, µs or ns.'

/**
 * Parses a time in files, answers, flags and queries: ISO 8601, a compact date (`20260301`, with hours and minutes, seconds and
 * milliseconds), or an epoch, whose unit follows from its size. UTC unless it has a zone; truncated to milliseconds.
 *
 * Epochs are those from March 1973 to November 2286: in this range no number has two units. Digits that could be both an epoch
 * and a date are refused, except 12 digits that begin with 18 to 21: as milliseconds they lie in 1975 and 1976, and are dates.
 */
export function readInstant(value: unknown): InstantReading {
  const text =
    typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? `${value}` : ''
  if (text === '')
    return refused(value === undefined || value === null || value === '' ? 'it is empty' : 'it is no text')
  const number = digits.exec(text)
  if (number !== null) {
    const [, whole = '', fraction = ''] = number
    return readDigits(whole, fraction)
  }
  const match = iso.exec(text) ?? isoBasic.exec(text)
  return match === null ? refused(...reasonOf(text)) : readDate(match.slice(1))
}

/** Parses an epoch with a known unit. Refuses numbers whose size implies another unit or a date. */
export function readEpoch(value: unknown, unit: EpochUnit): InstantReading {
  const reading = readInstant(value)
  if (reading.at !== undefined && reading.format === unit) return reading
  const text = String(value)
  // The one ambiguity that a known unit resolves.
  if (unit === 's' && /^\d{10}(?:\.\d*)?$/.test(text)) return epoch(text.slice(0, 10), text.slice(11), 's')
  if (reading.at === undefined) return reading
  const found = reading.format === 'date' ? 'a date' : unitNames[reading.format]
  return refused(`it has the form of ${found}, not of ${unitNames[unit]}`, `Use ${unitNames[unit]} since 1970.`)
}

const unitNames: Readonly<Record<EpochUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
}

const unitOfLength: Readonly<Record<number, EpochUnit>> = {
  9: 's',
  10: 's',
  12: 'ms',
  13: 'ms',
  15: 'us',
  16: 'us',
  18: 'ns',
  19: 'ns',
}

function readDigits(whole: string, fraction: string): InstantReading {
  const { length } = whole
  const unit = unitOfLength[length]
  const date = compact.exec(whole)
  if (length === 10 && date !== null && /^(?:19[7-9]|20\d)/.test(whole)) {
    const reading = readDate(date.slice(1))
    if (reading.at === undefined) return epoch(whole, fraction, 's')
    const second = formatInstant(Number(whole) * 1_000)
    return refused(`it could be the date ${formatInstant(reading.at)} or, in seconds since 1970, ${second}`)
  }
  const isDate = unit === undefined || (length === 12 && /^(?:1[89]|2[01])/.test(whole))
  if (!isDate) return epoch(whole, fraction, unit)
  if (date === null) return refused(`a number of ${length} digits is neither an epoch nor a date`)
  // Programs that treat a column of dates as numbers write 20260301.0.
  return /[^0]/.test(fraction) ? refused('a date has no fraction') : readDate(date.slice(1))
}

function epoch(whole: string, fraction: string, unit: EpochUnit): InstantReading {
  return { at: Number(millisecondsOf(whole, fraction, unit)), format: unit, assumesUtc: false }
}

/** Truncates digits instead of dividing, because a floating-point quotient could be off by a millisecond. */
function millisecondsOf(whole: string, fraction: string, unit: EpochUnit): string {
  switch (unit) {
    case 's':
      return whole + fraction.slice(0, 3).padEnd(3, '0')
    case 'ms':
      return whole
    case 'us':
      return whole.slice(0, -3)
    case 'ns':
      return whole.slice(0, -6)
  }
}

/** @param parts year, month, day, hour, minute, second, fraction, zone */
function readDate(parts: readonly (string | undefined)[]): InstantReading {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(0, 6)
    .map((it) => Number(it ?? 0))
  if (month < 1 || month > 12) return refused(`there is no month ${parts[1]}`)
  const dayCount = daysOf(year, month)
  if (day < 1 || day > dayCount) return refused(`${parts[0]}-${parts[1]} has ${dayCount} days`)
  if (hour > 23) return refused(`there is no hour ${parts[3]}`, 'Midnight is 00:00 of the following day.')
  if (minute > 59) return refused(`there is no minute ${parts[4]}`)
  if (second > 59) return refused(`there is no second ${parts[5]}`)
  const zone = parts[7]
  const offsetMs = zoneOffsetMs(zone)
  if (offsetMs === undefined) return refused(`there is no zone ${zone}`)
  const fractionMs = Number((parts[6] ?? '').slice(0, 3).padEnd(3, '0'))
  const at = startOfDay(year, month, day) + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fractionMs - offsetMs
  return { at, format: 'date', assumesUtc: zone === undefined && parts[3] !== undefined }
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function startOfDay(year: number, month: number, day: number): number {
  if (year > 99) return Date.UTC(year, month - 1, day)
  // Date.UTC treats years below 100 as years of the 20th century.
  return new Date(0).setUTCFullYear(year, month - 1, day)
}

function zoneOffsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || /^ ?(?:Z|UTC)$/i.test(zone)) return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || 0)
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000)
}

function reasonOf(text: string): [cause: string, fix?: string] {
  if (/^\s|\s$/.test(text)) return ['it has blanks around it', 'Remove them.']
  if (/^-\d/.test(text)) return ['it is negative', 'Write times before 1973 in ISO 8601.']
  if (/^\d(?:\.\d*)?e[+-]?\d+$/i.test(text)) {
    return ['scientific notation has lost digits', 'Write the number with all of its digits, or ISO 8601.']
  }
  if (/^\d{1,2}:\d\d/.test(text)) {
    return ['it is a time of day without a date', 'Write date and time into one column: 2026-03-01T10:00:00Z.']
  }
  if (/^\d{1,2}([/.-])\d{1,2}\1\d{2,4}/.test(text)) return ['the order of day and month is ambiguous']
  return ['it is in no known format']
}

function refused(cause: string, fix = usualFix): Refusal {
  return { at: undefined, cause, fix }
}
