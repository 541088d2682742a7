import { useState } from 'preact/hooks'
import { wholeNumber } from '../format/numbers.ts'
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

const [width, height, foot] = [600, 150, 24]

/** Counts by bucket, as bars from zero; `t` or the button shows the same numbers as a table. */
export function Histogram({ title, buckets, counted, foot: note }: HistogramProps) {
  const [isTable, setTable] = useState(false)
  return (
    <figure
      class="chart"
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === 't' && !event.ctrlKey && !event.metaKey) setTable(!isTable)
      }}
    >
      <div class="panel-head">
        <h3>{title}</h3>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)} title="Key: t">
          Table
        </button>
      </div>
      {isTable ? <BucketTable buckets={buckets} counted={counted} /> : <Picture title={title} buckets={buckets} />}
      <figcaption class="small quiet">{note}</figcaption>
    </figure>
  )
}

function Picture({ title, buckets }: Pick<HistogramProps, 'title' | 'buckets'>) {
  const most = Math.max(1, ...buckets.map(({ count }) => count))
  const step = width / buckets.length
  const plot = height - foot
  // Labels of narrow buckets would touch each other.
  const every = Math.ceil(buckets.length / 8)
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${title}. The key t shows a table.`}
    >
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
              <text x={middle} y={plot + 18}>
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
