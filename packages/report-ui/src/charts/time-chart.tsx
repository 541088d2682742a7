import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { shownTheme, zone } from '../data/preferences.ts'
import { fullNumber, noData, shortNumber } from '../format/numbers.ts'
import { instant, zoneName } from '../format/times.ts'
import { type ChartColumn, type ChartData, chartColumns } from './chart-data.ts'
import { ChartFigure } from './chart-figure.tsx'
import type { DrawnChart } from './draw-chart.ts'

interface TimeChartProps {
  /** A sentence that says what is to be seen. */
  readonly title: string
  readonly data: ChartData
  /** Of the values; shown in the readout. */
  readonly unit?: string
  /** In pixels. */
  readonly height?: number
  /** How many values there are, and from when. */
  readonly foot?: ComponentChildren
  /** Called with the shown range in ms when the viewer zooms, and with null when the whole range is shown again. */
  readonly onZoom?: (range: readonly [from: number, to: number] | null) => void
}

/**
 * Values over time. Drag to zoom, double-click for all; by keyboard the arrows move the cursor, Escape shows all, and `t` switches to a
 * table of the same numbers.
 */
export function TimeChart({ title, data, unit = '', height = 260, foot, onZoom }: TimeChartProps) {
  const [index, setIndex] = useState<number | null>(null)
  const columns = chartColumns(data)
  return (
    <ChartFigure
      title={title}
      foot={foot}
      table={() => <NumberTable title={title} times={data.times} columns={columns} />}
      drawing={() => (
        <>
          <Canvas data={data} height={height} title={title} setIndex={setIndex} onZoom={onZoom} />
          <Readout times={data.times} columns={columns} index={index} unit={unit} />
        </>
      )}
    />
  )
}

interface CanvasProps {
  readonly data: ChartData
  readonly height: number
  readonly title: string
  readonly setIndex: (index: number | null) => void
  readonly onZoom: TimeChartProps['onZoom']
}

function Canvas({ data, height, title, setIndex, onZoom }: CanvasProps) {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<DrawnChart | null>(null)
  const zoom = useRef(onZoom)
  zoom.current = onZoom
  // New data do not take the viewer's zoom away.
  const range = useRef<readonly [number, number] | null>(null)
  const look = `${shownTheme()} ${zone.value}`

  // The colours and the zone are read while drawing.
  useEffect(() => {
    let isGone = false
    // The library comes when the first chart is shown.
    void import('./draw-chart.ts').then(({ drawChart }) => {
      if (isGone || place.current === null) return
      const options = {
        ...{ height, range: range.current },
        onIndex: setIndex,
        onZoom: (next: readonly [number, number] | null) => {
          range.current = next
          zoom.current?.(next)
        },
      }
      drawn.current = drawChart(place.current, data, options)
    })
    return () => {
      isGone = true
      drawn.current?.destroy()
      drawn.current = null
    }
  }, [data, height, look])

  function onKeyDown(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }
    const step = steps[event.key]
    if (step !== undefined) drawn.current?.step(step)
    else if (event.key === 'Escape') drawn.current?.showAll()
    else return
    event.preventDefault()
  }

  return (
    <div
      class="chart-place"
      ref={place}
      role="img"
      aria-label={`${title}. Arrow keys read single values, the key t shows a table.`}
      tabIndex={0}
      style={{ minHeight: `${height}px` }}
      onKeyDown={onKeyDown}
    />
  )
}

interface ReadoutProps {
  readonly times: readonly number[]
  readonly columns: readonly ChartColumn[]
  readonly index: number | null
  readonly unit: string
}

/** The numbers under the cursor, or the newest ones. */
function Readout({ times, columns, index, unit }: ReadoutProps) {
  const at = index ?? times.length - 1
  const time = times[at]
  if (time === undefined) return null
  return (
    <p class="readout small" aria-live="polite">
      <span class="quiet">
        {instant(time)} {zoneName()}
      </span>
      {columns.map(({ title, values }) => (
        <span key={title} title={fullNumber(values[at])}>
          <span class="quiet">{title}</span> {shortNumber(values[at])}
          {unit === '' ? '' : ` ${unit}`}
        </span>
      ))}
    </p>
  )
}

interface NumberTableProps {
  readonly title: string
  readonly times: readonly number[]
  readonly columns: readonly ChartColumn[]
}

function NumberTable({ title, times, columns }: NumberTableProps) {
  const newestFirst = times.map((time, index) => ({ time, index })).reverse()
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label={title}>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Time ({zoneName()})</th>
            {columns.map(({ title: name }) => (
              <th scope="col" class="number" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newestFirst.map(({ time, index }) => (
            <tr key={time}>
              <th scope="row">{instant(time)}</th>
              {columns.map(({ title: name, values }) => (
                <td class="number" key={name}>
                  {values[index] === null || values[index] === undefined ? noData : fullNumber(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
