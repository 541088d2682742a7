export interface StripPoint {
  readonly key: string
  readonly label: string
  readonly value: number
  /** Drawn in colour, and named below the plot. */
  readonly isPicked?: boolean
}

export interface StripMark {
  readonly label: string
  readonly value: number
}

/** A value of a strip plot that stands outside of the axis counts as below or above it. */
export interface StripLayout {
  readonly low: number
  readonly high: number
  /** For each column from left to right, the indices of its values, smallest first. */
  readonly columns: readonly (readonly number[])[]
  /** Indices, smallest value first. */
  readonly below: readonly number[]
  readonly above: readonly number[]
}

/** Values farther from the median than so many median deviations would press all others together. */
const farDeviations = 12

/**
 * Sorts values into columns of equal width. The axis comes from the data and always contains `marks`, such as the truth; a few
 * values that are far from all others do not stretch it.
 */
export function stripLayout(values: readonly number[], marks: readonly number[], columnCount: number): StripLayout {
  const [low, high] = domain(values, marks)
  const order = values.map((_, index) => index).sort((one, other) => (values[one] ?? 0) - (values[other] ?? 0))
  const columns: number[][] = Array.from({ length: columnCount }, () => [])
  const below: number[] = []
  const above: number[] = []
  for (const index of order) {
    const value = values[index] ?? 0
    const place = Math.min(columnCount - 1, Math.floor(((value - low) / (high - low)) * columnCount))
    const target = value < low ? below : value > high ? above : columns[place]
    target?.push(index)
  }
  return { low, high, columns, below, above }
}

function domain(values: readonly number[], marks: readonly number[]): readonly [low: number, high: number] {
  const middle = median(values)
  const deviation = median(values.map((value) => Math.abs(value - middle)))
  const reach = deviation === 0 ? Number.POSITIVE_INFINITY : farDeviations * deviation
  const kept = [...values.filter((value) => Math.abs(value - middle) <= reach), ...marks]
  const low = kept.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = kept.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY)
  if (low > high) return [0, 1]
  const margin = high > low ? (high - low) * 0.03 : Math.abs(low) * 0.01 || 1
  return [low - margin, high + margin]
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
}
