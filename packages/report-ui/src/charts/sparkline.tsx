interface SparklineProps {
  /** Oldest first; null is a gap. */
  readonly values: readonly (number | null)[]
  readonly label: string
}

const width = 96
const height = 22

/** A line without axes that shows where values went. */
export function Sparkline({ values, label }: SparklineProps) {
  const known = values.filter((value) => value !== null)
  if (known.length < 2) return <span class="quiet">–</span>
  const low = Math.min(...known)
  const span = Math.max(...known) - low || 1
  const x = (index: number): number => 2 + (index / (values.length - 1)) * (width - 6)
  const y = (value: number): number => 3 + (1 - (value - low) / span) * (height - 6)
  const last = values.findLastIndex((value) => value !== null)
  return (
    <svg class="sparkline" width={width} height={height} role="img" aria-label={label}>
      <path d={pathOf(values, x, y)} />
      <circle cx={x(last)} cy={y(values[last] as number)} r={2} />
    </svg>
  )
}

/** Lines between neighbours that both exist. */
function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  return values
    .map((value, index) => {
      if (value === null) return ''
      const isStart = index === 0 || values[index - 1] === null
      return `${isStart ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
    })
    .join('')
}
