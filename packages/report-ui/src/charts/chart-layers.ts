import type UPlot from 'uplot'
import { shortNumber } from '../format/numbers.ts'
import type { Candles, Line, Span, Tick } from './chart-data.ts'
import type { Palette } from './palette.ts'

/** What is drawn on the canvas besides the lines. Positions are pixels of the canvas. */

export function drawSpans(chart: UPlot, spans: readonly Span[], palette: Palette): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.strokeStyle = palette.line
  for (const { from, to } of spans) {
    const left = chart.valToPos(from / 1_000, 'x', true)
    const right = Math.max(left + 2, chart.valToPos(to / 1_000, 'x', true))
    ctx.save()
    ctx.beginPath()
    ctx.rect(left, bbox.top, right - left, bbox.height)
    ctx.clip()
    ctx.beginPath()
    for (let x = left - bbox.height; x < right; x += 8) {
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
    }
    ctx.stroke()
    ctx.restore()
  }
  ctx.restore()
}

export function drawTicks(chart: UPlot, ticks: readonly Tick[], palette: Palette): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.strokeStyle = palette.quiet
  ctx.setLineDash([2, 3])
  for (const { at } of ticks) {
    const x = chart.valToPos(at / 1_000, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

export function drawCandles(chart: UPlot, { open, high, low, close }: Candles, palette: Palette): void {
  const { ctx, bbox } = chart
  const times = chart.data[0]
  const y = (value: number): number => chart.valToPos(value, 'y', true)
  const span = chart.valToPos(times.at(-1) ?? 0, 'x', true) - chart.valToPos(times[0] ?? 0, 'x', true)
  const width = Math.max(1, Math.min(14, (span / Math.max(1, times.length - 1)) * 0.7))
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  times.forEach((time, index) => {
    const [from, top, bottom, to] = [open[index], high[index], low[index], close[index]]
    if (from == null || top == null || bottom == null || to == null) return
    const x = chart.valToPos(time, 'x', true)
    const colour = to >= from ? palette.ok : palette.fail
    ctx.strokeStyle = colour
    ctx.fillStyle = colour
    ctx.beginPath()
    ctx.moveTo(x, y(top))
    ctx.lineTo(x, y(bottom))
    ctx.stroke()
    const upper = Math.min(y(from), y(to))
    const height = Math.max(1, Math.abs(y(from) - y(to)))
    // Falling candles are filled and rising ones hollow, so that they differ without colour as well.
    if (to >= from && width >= 4) {
      ctx.clearRect(x - width / 2, upper, width, height)
      ctx.strokeRect(x - width / 2, upper, width, height)
    } else ctx.fillRect(x - width / 2, upper, width, height)
  })
  ctx.restore()
}

const labelHeight = 15
const narrowestLabel = 80

/** Names each line at its end. Labels that would cover each other are pushed apart. */
export function drawEndLabels(chart: UPlot, lines: readonly Line[], offset: number, palette: Palette): void {
  const { ctx, bbox } = chart
  const ratio = window.devicePixelRatio
  const [from, to] = [chart.scales.x?.min ?? 0, chart.scales.x?.max ?? 0]
  const labels = lines.flatMap((line, index) => {
    const values = chart.data[index + 1 + offset] ?? []
    const last = chart.data[0].findLastIndex((time, at) => time >= from && time <= to && values[at] != null)
    const value = values[last]
    if (last < 0 || value == null) return []
    return [{ line, value, y: chart.valToPos(value, 'y', true) }]
  })
  // Without a margin beside them, the readout names the lines.
  if (ctx.canvas.width - bbox.left - bbox.width < narrowestLabel * ratio) return
  labels.sort((one, other) => one.y - other.y)
  let free = bbox.top
  ctx.save()
  ctx.font = `${12 * ratio}px system-ui, sans-serif`
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  // Left by the axes as it was for their texts.
  ctx.textAlign = 'left'
  for (const { line, value, y } of labels) {
    const at = Math.max(y, free)
    free = at + labelHeight * ratio
    ctx.fillStyle = line.hue === undefined ? palette.quiet : palette.hue(line)
    const text = line.label.length > 12 ? `${line.label.slice(0, 11)}…` : line.label
    ctx.fillText(`${text} ${shortNumber(value)}`, bbox.left + bbox.width + 6 * ratio, at)
  }
  ctx.restore()
}
