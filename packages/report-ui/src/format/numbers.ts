/** What stands in the place of a number that does not exist. */
export const noData = '–'

/** Made once: making a format takes far longer than using it. */
const grouped = new Intl.NumberFormat('en')

/** At most four significant digits; large numbers with thousands separators, tiny ones with an exponent. */
export function shortNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return noData
  const size = Math.abs(value)
  if (value === 0) return '0'
  if (size < 1e-4 || size >= 1e15) return value.toExponential(2).replace('-', '−').replace('e−', 'e-')
  if (size >= 1e4) return minus(grouped.format(Math.round(value)))
  return minus(Number(value.toPrecision(4)).toString())
}

/**
 * Numbers of one column: all with as many decimals as the widest of them has at four significant digits, so that the points
 * stand below each other.
 */
export function columnNumbers(
  values: readonly (number | null | undefined)[],
): (value: number | null | undefined) => string {
  const sizes = values.flatMap((value) =>
    typeof value === 'number' && Number.isFinite(value) ? [Math.abs(value)] : [],
  )
  const largest = Math.max(0, ...sizes)
  const areWhole = sizes.every((size) => Number.isInteger(size))
  if (largest >= 1e15 || (largest > 0 && largest < 1e-4)) return shortNumber
  const decimals = areWhole
    ? 0
    : Math.min(6, Math.max(0, 4 - (largest === 0 ? 1 : Math.floor(Math.log10(largest)) + 1)))
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  return (value) => (typeof value !== 'number' || !Number.isFinite(value) ? noData : minus(format.format(value)))
}

/** Numbers of one column as they are stored: all with as many decimals as the longest of them has. */
export function exactNumbers(
  values: readonly (number | null | undefined)[],
): (value: number | null | undefined) => string {
  const decimals = values.map((value) => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0)
  const digits = Math.min(12, Math.max(0, ...decimals))
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return (value) => (typeof value === 'number' ? minus(format.format(value)) : noData)
}

/** All digits that the data have, for titles and exports. */
export function fullNumber(value: number | null | undefined): string {
  return typeof value === 'number' ? minus(String(value)) : noData
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return noData
  const value = share * 100
  // 99.96 % is not complete.
  const digits = value === 0 || value === 100 ? 0 : 1
  const text = value.toFixed(digits)
  return `${text === '100.0' ? '99.9' : text === '0.0' ? '<0.1' : text} %`
}

export function wholeNumber(value: number | null | undefined): string {
  return value === null || value === undefined ? noData : minus(grouped.format(value))
}

/** `1 model`, `2 models`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${wholeNumber(count)} ${count === 1 ? noun : plural}`
}

function minus(text: string): string {
  return text.replace(/^-/, '−')
}
