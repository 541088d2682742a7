/** A point in time: UTC milliseconds since the Unix epoch. */
export type Instant = number

/** A length of time as an author writes it: a positive number and a unit (`ms`, `s`, `m`, `h`, `d`, `w`), e.g. `'15s'`, `'5m'`, `'1d'`. */
export type Duration = `${number}${Unit}`

const unitMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

type Unit = keyof typeof unitMs

/** From the longest on. */
const units = Object.keys(unitMs) as readonly Unit[]

const durationPattern = /^(\d+)(?:\.(\d+))?(ms|s|m|h|d|w)$/

/**
 * The milliseconds of a duration, or `undefined` when the text is not a duration: whole milliseconds, more than zero.
 */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  const [, whole = '', decimals = '', unit = ''] = match
  // In integers: as a floating-point product, 1.001 s would not be a whole number of milliseconds.
  const scaledMs = BigInt(whole + decimals) * BigInt(unitMs[unit as Unit])
  const scale = 10n ** BigInt(decimals.length)
  const lengthMs = Number(scaledMs / scale)
  return scaledMs % scale === 0n && Number.isSafeInteger(lengthMs) && lengthMs > 0 ? lengthMs : undefined
}

/** The milliseconds of a duration; throws a `RangeError` for a text that is not a duration. */
export function durationMs(text: string): number {
  const lengthMs = parseDuration(text)
  if (lengthMs === undefined) {
    throw new RangeError(`"${text}" is not a duration: write a positive number and a unit, such as "15s", "5m" or "1d"`)
  }
  return lengthMs
}

/** The shortest way to write a whole number of milliseconds: `90_000` is `'90s'`, `3_600_000` is `'1h'`. Throws a `RangeError` for others. */
export function formatDuration(lengthMs: number): Duration {
  const unit = units.find((candidate) => lengthMs % unitMs[candidate] === 0)
  if (unit === undefined) throw new RangeError(`${lengthMs} ms is not a whole number of milliseconds`)
  return `${lengthMs / unitMs[unit]}${unit}`
}

/** The start of the grid cell that holds an instant; cells are half open, `[start, start + stepMs)`, from the epoch. */
export function floorToGrid(at: Instant, stepMs: number): Instant {
  return Math.floor(at / stepMs) * stepMs
}

/** `2026-03-01T10:00:00.000Z`. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString()
}

/** Formats a duration for people, in its two largest units: `2 h`, `3 min 20 s`. Less than a second is `0 s`. */
export function describeLength(lengthMs: number): string {
  const seconds = Math.floor(lengthMs / 1_000)
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2).filter(([count]) => count > 0)
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}
