import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { zone } from '../data/preferences.ts'
import { shortNumber } from '../format/numbers.ts'
import type { ChartData, Line, Values } from './chart-data.ts'
import { drawCandles, drawEndLabels, drawSpans, drawTicks } from './chart-layers.ts'
import { type Palette, readPalette } from './palette.ts'

export interface DrawnChart {
  /** Moves the cursor by so many values. */
  step(count: number): void
  showAll(): void
  destroy(): void
}

interface DrawOptions {
  readonly height: number
  /** Shown first, in ms; null: all. */
  readonly range: readonly [from: number, to: number] | null
  readonly onIndex: (index: number | null) => void
  readonly onZoom: (range: readonly [from: number, to: number] | null) => void
}

/** Draws a chart into an element, which it fills in width also when that changes. */
export function drawChart(place: HTMLElement, data: ChartData, drawing: DrawOptions): DrawnChart {
  const { lines = [], bands = [], candles } = data
  const drawnLines: readonly Line[] = [
    ...bands.flatMap(({ label, low, high }) => [
      { label: `${label}, low`, values: low },
      { label: `${label}, high`, values: high },
    ]),
    ...(candles === undefined ? [] : [edge(candles.low), edge(candles.high)]),
    ...lines,
  ]
  const first = data.times[0] ?? 0
  const last = data.times.at(-1) ?? 0
  const options = chartOptions(place, data, drawnLines, drawing)
  const chart = new UPlot(options, alignedData(data, drawnLines), place)
  const watch = new ResizeObserver(() => {
    if (place.clientWidth > 0 && place.clientWidth !== chart.width)
      chart.setSize({ width: place.clientWidth, height: drawing.height })
  })
  watch.observe(place)
  return {
    step(count) {
      const index = Math.min(data.times.length - 1, Math.max(0, (chart.cursor.idx ?? data.times.length) + count))
      const time = data.times[index]
      if (time !== undefined) chart.setCursor({ left: chart.valToPos(time / 1_000, 'x'), top: 0 })
    },
    showAll: () => chart.setScale('x', { min: first / 1_000, max: last / 1_000 }),
    destroy() {
      watch.disconnect()
      chart.destroy()
    },
  }
}

function chartOptions(
  place: HTMLElement,
  data: ChartData,
  drawnLines: readonly Line[],
  { height, range, onIndex, onZoom }: DrawOptions,
): UPlot.Options {
  const palette = readPalette(place)
  const { lines = [], bands = [], candles } = data
  const hiddenCount = drawnLines.length - lines.length
  const first = data.times[0] ?? 0
  const last = data.times.at(-1) ?? 0
  return {
    width: Math.max(200, place.clientWidth),
    height,
    legend: { show: false },
    ...(zone.value === 'utc'
      ? { tzDate: (seconds: number) => UPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') }
      : {}),
    padding: [12, lines.length > 0 && place.clientWidth >= labelledWidth ? 116 : 16, 0, 4],
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: {
        time: true,
        range: (_, from, to) => withMargin([from, to], data),
        ...(range === null ? {} : { min: range[0] / 1_000, max: range[1] / 1_000 }),
      },
      y: valueScale(data),
    },
    axes: [{ ...axis(palette), values: timeTexts }, valueAxis(palette, data)],
    series: [{}, ...drawnLines.map((line, index) => seriesOf(line, index < hiddenCount, palette))],
    bands: bands.map((_, index) => ({
      series: [2 * index + 2, 2 * index + 1] as [number, number],
      fill: `${palette.field}40`,
    })),
    hooks: {
      drawClear: [(chart) => drawSpans(chart, data.spans ?? [], palette)],
      draw: [
        (chart) => {
          drawTicks(chart, data.ticks ?? [], palette)
          if (candles !== undefined) drawCandles(chart, candles, palette)
          drawEndLabels(chart, lines, hiddenCount, palette)
        },
      ],
      setCursor: [(chart) => onIndex(chart.cursor.idx ?? null)],
      setScale: [
        (chart, name) => {
          const { min, max } = chart.scales.x ?? {}
          if (name !== 'x' || min == null || max == null) return
          const isAll = min * 1_000 <= first && max * 1_000 >= last
          onZoom(isAll ? null : [min * 1_000, max * 1_000])
        },
      ],
    },
  }
}

/** Narrower charts leave the names of lines to the readout. */
const labelledWidth = 480

/** Candles at both ends are seen as a whole. The range is in seconds. */
function withMargin([from, to]: [number, number], { times, candles }: ChartData): [number, number] {
  const [first, last] = [(times[0] ?? 0) / 1_000, (times.at(-1) ?? 0) / 1_000]
  if (candles === undefined || times.length < 2 || from > first || to < last) return [from, to]
  const half = (last - first) / (times.length - 1) / 2
  return [first - half, last + half]
}

/** How an axis writes time, by the least step in seconds: 24 hours, and the day where it begins. */
const timeTexts: UPlot.Axis.Values = [
  ...(
    [
      [31_536_000, '{YYYY}', null, null],
      [2_419_200, '{YYYY}-{MM}', null, null],
      [86_400, '{MM}-{DD}', '\n{YYYY}', null],
      [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', '\n{MM}-{DD}'],
      [1, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', '\n{MM}-{DD}'],
      [0.001, ':{ss}.{fff}', '\n{YYYY}-{MM}-{DD} {HH}:{mm}', null],
    ] as const
  ).map(([step, text, inYear, inDay]) => [step, text, inYear, null, inDay, null, null, null, 1]),
]

/** Stretches the scale to candles, which are drawn by themselves. */
function edge(values: Values): Line {
  return { label: '', values }
}

function alignedData({ times }: ChartData, lines: readonly Line[]): UPlot.AlignedData {
  return [times.map((time) => time / 1_000), ...lines.map(({ values }) => [...values])]
}

/** Uncertain scales of ranks would begin at 0, where no rank is. */
function valueScale({ areRanks = false, range }: ChartData): UPlot.Scale {
  if (areRanks) return { dir: -1, range: (_, __, max) => [0.5, Math.max(2, max) + 0.5] }
  return range === undefined ? {} : { range: [range[0], range[1]] }
}

function valueAxis(palette: Palette, { areRanks = false }: ChartData): UPlot.Axis {
  return {
    ...axis(palette),
    size: 64,
    values: (_, splits) => splits.map((value) => shortNumber(value)),
    ...(areRanks ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] } : {}),
  }
}

function axis(palette: Palette): UPlot.Axis {
  return {
    stroke: palette.quiet,
    font: '12px system-ui, sans-serif',
    grid: { stroke: palette.line, width: 1 },
    ticks: { stroke: palette.line, width: 1, size: 4 },
  }
}

function seriesOf(line: Line, isHidden: boolean, palette: Palette): UPlot.Series {
  if (isHidden) return { label: line.label, stroke: 'transparent', points: { show: false } }
  return {
    label: line.label,
    stroke: palette.hue(line),
    width: line.hue === undefined ? 1 : 2,
    ...(line.isDashed === true ? { dash: [6, 4] } : {}),
    // A value between two gaps would not be seen as a line.
    points: { size: 4, ...(isSparse(line.values) ? { show: true } : {}) },
  }
}

function isSparse(values: Values): boolean {
  return values.filter((value) => value !== null).length < 24
}
