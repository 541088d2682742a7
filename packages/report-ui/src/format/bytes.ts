const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** A size in decimal units with three digits: `1.23 MB`. */
export function byteSize(bytes: number): string {
  const size = Math.abs(bytes)
  const power = size < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3))
  const value = size / 1_000 ** power
  const digits = power === 0 ? String(value) : value.toPrecision(value >= 1_000 ? 4 : 3)
  return `${bytes < 0 ? '−' : ''}${digits} ${units[power]}`
}
