import { useRef } from 'preact/hooks'
import { wholeNumber } from '../format/numbers.ts'
import { ChartFigure } from './chart-figure.tsx'
import { useWidth } from './use-width.ts'
import './histogram.css'

export interface Bucket {
  /** What the bucket holds: `≤ 50 ms`. */
  readonly label: string
  readonly count: number
}

interface HistogramProps {
  /** A sentence that says what is to be seen. */
  readonly title: string
  /** In order. */
  readonly buckets: readonly Bucket[]
  /** The name of the counted things, for the table: `answers`. */
  readonly counted: string
  readonly foot: string
}

const [height, foot] = [150, 24]
/** Of a label, in pixels; labels of narrower buckets would touch each other. */
const labelWidth = 72

/** Counts by bucket, as bars from zero; `t` or the button shows the same numbers as a table. */
export function Histogram({ title, buckets, counted, foot: note }: HistogramProps) {
  return (
    <ChartFigure
      title={title}
      foot={note}
      table={() => <BucketTable buckets={buckets} counted={counted} />}
      drawing={() => <Picture title={title} buckets={buckets} />}
    />
  )
}

function Picture({ title, buckets }: Pick<HistogramProps, 'title' | 'buckets'>) {
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  return (
    <div ref={place} style={{ minHeight: `${height}px` }}>
      {width === 0 ? null : <Drawing title={title} buckets={buckets} width={width} />}
    </div>
  )
}

interface DrawingProps extends Pick<HistogramProps, 'title' | 'buckets'> {
  /** In pixels. */
  readonly width: number
}

function Drawing({ title, buckets, width }: DrawingProps) {
  const most = Math.max(1, ...buckets.map(({ count }) => count))
  const step = width / buckets.length
  const plot = height - foot
  const every = Math.ceil(labelWidth / step)
  return (
    <svg class="histogram" width={width} height={height} role="img" aria-label={`${title}. The key t shows a table.`}>
      <line x1={0} x2={width} y1={plot} y2={plot} />
      {buckets.map(({ label, count }, index) => {
        const tall = count === 0 ? 0 : Math.max(1, (count / most) * (plot - 18))
        const middle = (index + 0.5) * step
        return (
          <g key={label}>
            <rect x={index * step + 1.5} y={plot - tall} width={step - 3} height={tall} />
            {count === 0 ? null : (
              <text x={middle} y={plot - tall - 4}>
                {wholeNumber(count)}
              </text>
            )}
            {index % every === 0 ? (
              <text x={Math.min(Math.max(middle, labelWidth / 2), width - labelWidth / 2)} y={plot + 18}>
                {label}
              </text>
            ) : null}
          </g>
        )
      })}
    </svg>
  )
}

function BucketTable({ buckets, counted }: Pick<HistogramProps, 'buckets' | 'counted'>) {
  return (
    <table class="plain-table">
      <tbody>
        {buckets.map(({ label, count }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td class="number">
              {wholeNumber(count)} {counted}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
