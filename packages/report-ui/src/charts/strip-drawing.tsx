import { shortNumber } from '../format/numbers.ts'
import { axisTicks, tickText } from './axis-ticks.ts'
import type { StripLayout, StripMark, StripPoint } from './strip-layout.ts'

const dot = 8
const side = 8
const top = 24
const bottom = 24
/** Of dots in a column. */
const fewestRows = 6
const mostRows = 13

/** How many columns of dots fit. */
export function columnsOf(width: number): number {
  return Math.max(8, Math.floor((width - 2 * side) / dot))
}

/** The value at a share of the width. */
export function valueAt(share: number, width: number, { low, high }: StripLayout): number {
  return low + ((share * width - side) / (width - 2 * side)) * (high - low)
}

interface StripProps {
  readonly width: number
  readonly layout: StripLayout
  readonly points: readonly StripPoint[]
  readonly marks: readonly StripMark[]
  readonly at: number | null
}

export function StripDrawing({ width, layout, points, marks, at }: StripProps) {
  const { low, high } = layout
  const inner = width - 2 * side
  const ground = top + dot * Math.min(mostRows, Math.max(fewestRows, tallest(layout)))
  const height = ground + bottom
  const x = (value: number): number => side + ((value - low) / (high - low)) * inner
  const ticks = axisTicks(low, high, Math.max(3, Math.floor(inner / 110)))
  const text = tickText(ticks)
  return (
    <svg class="strip-plot" width={width} height={height} aria-hidden="true">
      <line class="axis" x1={side} x2={width - side} y1={ground} y2={ground} />
      {ticks.map((tick) => (
        <g key={tick}>
          <line class="axis" x1={x(tick)} x2={x(tick)} y1={ground} y2={ground + 4} />
          <text x={x(tick)} y={height - 6} text-anchor={anchorOf(x(tick), width)}>
            {text(tick)}
          </text>
        </g>
      ))}
      <Columns width={width} ground={ground} layout={layout} points={points} at={at} />
      {layout.below.length > 0 ? <text x={0} y={ground - 4}>{`← ${layout.below.length}`}</text> : null}
      {layout.above.length > 0 ? (
        <text x={width} y={ground - 4} text-anchor="end">
          {`${layout.above.length} →`}
        </text>
      ) : null}
      {marks.map(({ label, value }) => (
        <g class="mark" key={label}>
          <line x1={x(value)} x2={x(value)} y1={top - 6} y2={ground} />
          <text x={x(value)} y={12} text-anchor={anchorOf(x(value), width)}>
            {label} {shortNumber(value)}
          </text>
        </g>
      ))}
    </svg>
  )
}

type ColumnsProps = Omit<StripProps, 'marks'> & { readonly ground: number }

function Columns({ width, ground, layout, points, at }: ColumnsProps) {
  const { columns } = layout
  const most = tallest(layout)
  const track = (width - 2 * side) / columns.length
  if (most <= mostRows) {
    return columns.map((column, index) =>
      column.map((point, row) => (
        <circle
          key={points[point]?.key}
          class={dotClass(points[point], point === at)}
          cx={side + (index + 0.5) * track}
          cy={ground - (row + 0.5) * dot}
          r={dot / 2 - 0.5}
        />
      )),
    )
  }
  const unit = (mostRows * dot) / most
  const bars = columns.map((column, index) => (
    <rect
      key={index}
      class={column.includes(at ?? -1) ? 'at' : ''}
      x={side + index * track}
      width={Math.max(1, track - 1)}
      y={ground - column.length * unit}
      height={column.length * unit}
    />
  ))
  const picked = columns.flatMap((column, index) =>
    column.flatMap((point) =>
      points[point]?.isPicked === true
        ? [<circle key={point} class="picked" cx={side + (index + 0.5) * track} cy={ground} r={dot / 2} />]
        : [],
    ),
  )
  return [...bars, ...picked]
}

/** Of the columns, in values. */
function tallest({ columns }: StripLayout): number {
  return Math.max(...columns.map((column) => column.length))
}

function dotClass(point: StripPoint | undefined, isAt: boolean): string {
  return isAt ? 'at' : point?.isPicked === true ? 'picked' : ''
}

/** Text at an edge stays inside. */
function anchorOf(x: number, width: number): 'start' | 'middle' | 'end' {
  return x < 60 ? 'start' : x > width - 60 ? 'end' : 'middle'
}
