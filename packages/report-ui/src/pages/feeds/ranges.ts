interface Range {
  /** In the address. */
  readonly key: string
  readonly title: string
  readonly ms: number
}

const hourMs = 3_600_000

const ranges: readonly Range[] = [
  { key: '15m', title: '15 min', ms: hourMs / 4 },
  { key: '1h', title: '1 h', ms: hourMs },
  { key: '6h', title: '6 h', ms: 6 * hourMs },
  { key: '1d', title: '1 d', ms: 24 * hourMs },
  { key: '7d', title: '7 d', ms: 168 * hourMs },
  { key: '30d', title: '30 d', ms: 720 * hourMs },
  { key: '365d', title: '1 year', ms: 8_760 * hourMs },
]

/** A choice is offered only if it shows several values and not all. */
const fewest = 8

/**
 * The ranges that can be chosen for values at these times.
 * @param times In ms, newest first.
 */
export function rangesOf(times: readonly number[]): readonly Range[] {
  return ranges.filter(({ ms }) => {
    const count = countWithin(times, ms)
    return count >= fewest && count < times.length
  })
}

/** How many of the newest values are within a length of time before the newest. */
export function countWithin(times: readonly number[], ms: number): number {
  const [newest = 0] = times
  const first = times.findIndex((time) => time < newest - ms)
  return first === -1 ? times.length : first
}
