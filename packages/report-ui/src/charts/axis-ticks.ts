/** Round values for an axis: steps of 1, 2 or 5 times a power of ten, at most about `count`. */
export function axisTicks(low: number, high: number, count: number): readonly number[] {
  const rough = (high - low) / Math.max(1, count)
  if (!(rough > 0) || !Number.isFinite(rough)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const first = Math.ceil(low / step)
  const last = Math.floor(high / step)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step)
}

/** Writes the values of an axis with the digits that tell them apart. */
export function tickText(ticks: readonly number[]): (value: number) => string {
  const [first, second] = ticks
  const step = first === undefined || second === undefined ? Math.abs(first ?? 1) || 1 : second - first
  const digits = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)))
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return (value) => format.format(value === 0 ? 0 : value).replace(/^-/, '−')
}
