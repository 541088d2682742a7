import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { counted, fullNumber } from '../format/numbers.ts'
import { ChartFigure } from './chart-figure.tsx'
import { columnsOf, StripDrawing, valueAt } from './strip-drawing.tsx'
import { type StripLayout, type StripMark, type StripPoint, stripLayout } from './strip-layout.ts'
import { useWidth } from './use-width.ts'

interface StripPlotProps {
  /** A sentence that says what is to be seen. */
  readonly title: string
  readonly points: readonly StripPoint[]
  /** Of the values. */
  readonly unit?: string
  /** Lines across the plot, such as the truth. */
  readonly marks?: readonly StripMark[]
  readonly tools?: ComponentChildren
  /** Called with the key of a point when the viewer clicks on it, or presses Enter. */
  readonly onChoose?: ((key: string) => void) | undefined
}

/**
 * Each value as a dot on an axis, stacked where they would cover each other; bars where they are too many. By keyboard the arrows
 * go from value to value, and `t` switches to a table of the same numbers.
 */
export function StripPlot({ title, points, unit = '', marks = [], tools, onChoose }: StripPlotProps) {
  const sorted = [...points].sort((one, other) => one.value - other.value)
  return (
    <ChartFigure
      title={title}
      tools={tools}
      table={() => <StripTable title={title} unit={unit} points={sorted} marks={marks} />}
      drawing={() => <Readable title={title} unit={unit} points={sorted} marks={marks} onChoose={onChoose} />}
    />
  )
}

type ReadableProps = Required<Pick<StripPlotProps, 'title' | 'unit' | 'points' | 'marks'>> &
  Pick<StripPlotProps, 'onChoose'>

/** The drawing with a cursor, which reads one value. */
function Readable({ title, unit, points, marks, onChoose }: ReadableProps) {
  const [at, setAt] = useState<number | null>(null)
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const values = points.map(({ value }) => value)
  const shownMarks = marks.map(({ value }) => value)
  const layout = stripLayout(values, shownMarks, columnsOf(width))
  const current = at === null ? undefined : points[at]

  function onKeyDown(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }
    const step = steps[event.key]
    if (event.key === 'Enter' && current !== undefined) onChoose?.(current.key)
    if (step === undefined) return
    const from = at ?? (step > 0 ? -1 : points.length)
    setAt(Math.min(points.length - 1, Math.max(0, from + step)))
    event.preventDefault()
  }

  function onPointerMove({ clientX }: PointerEvent): void {
    const box = place.current?.getBoundingClientRect()
    if (box !== undefined) setAt(nearest(values, valueAt((clientX - box.left) / box.width, width, layout)))
  }

  return (
    <>
      <div
        class="chart-place"
        ref={place}
        role="img"
        aria-label={`${title}. Arrow keys read single values, the key t shows a table.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onClick={() => (current === undefined ? undefined : onChoose?.(current.key))}
      >
        {width === 0 ? null : <StripDrawing width={width} layout={layout} points={points} marks={marks} at={at} />}
      </div>
      <p class="readout small" aria-live="polite">
        {current === undefined ? (
          <>
            <span class="quiet">
              {counted(points.length, 'value')}
              {outsideText(layout)}
            </span>
            {points.map(({ key, label, value, isPicked }) =>
              isPicked === true ? (
                <span key={key}>
                  <span class="picked-name">● {label}</span> {fullNumber(value)}
                </span>
              ) : null,
            )}
          </>
        ) : (
          <>
            <span>
              <span class="quiet">{current.label}</span> {fullNumber(current.value)} {unit}
            </span>
            <span class="quiet">
              {(at ?? 0) + 1} of {points.length} from the lowest
            </span>
          </>
        )}
      </p>
    </>
  )
}

/** Values that the axis does not reach must not be missed. */
function outsideText({ below, above }: StripLayout): string {
  const parts = [
    ...(below.length === 0 ? [] : [`${below.length} far below`]),
    ...(above.length === 0 ? [] : [`${above.length} far above`]),
  ]
  return parts.length === 0 ? '' : `, ${parts.join(' and ')} the axis: the table has them`
}

function nearest(values: readonly number[], value: number): number | null {
  let best: number | null = null
  values.forEach((one, index) => {
    if (best === null || Math.abs(one - value) < Math.abs((values[best] ?? 0) - value)) best = index
  })
  return best
}

function StripTable({ title, unit, points, marks }: Omit<ReadableProps, 'onChoose'>) {
  const lines = [
    ...marks.map(({ label, value }) => ({ key: `mark ${label}`, label, value, isMark: true })),
    ...points.map(({ key, label, value }) => ({ key, label, value, isMark: false })),
  ].sort((one, other) => one.value - other.value)
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label={title}>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">From the lowest</th>
            <th scope="col" class="number">
              Value{unit === '' ? '' : `, ${unit}`}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, label, value, isMark }) => (
            <tr key={key}>
              <th scope="row">{isMark ? <strong>{label}</strong> : label}</th>
              <td class="number">{isMark ? <strong>{fullNumber(value)}</strong> : fullNumber(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
