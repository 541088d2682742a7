import Table from 'cli-table3'
import type { Figure, Figures, Measurement } from './measurements.ts'
import { median } from './percentile.ts'

export interface MeasuredRuns {
  readonly measurement: Measurement
  /** At least one. */
  readonly runs: readonly Figures[]
}

/** One row of the results, as texts. */
export interface ResultRow {
  readonly what: string
  readonly median: string
  readonly range: string
  readonly runs: string
  readonly target: string
  readonly isMissed: boolean
}

const head = ['measured', 'median', 'range', 'runs', 'target', '']

export function resultRows(results: readonly MeasuredRuns[]): ResultRow[] {
  return results.flatMap(({ measurement, runs }) =>
    measurement.figures.map((figure) => resultRow(measurement, figure, runs)),
  )
}

/** For the terminal. */
export function resultsTable(rows: readonly ResultRow[]): string {
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: ['left', 'right', 'right', 'right'] })
  table.push(...rows.map(cells))
  return table.toString()
}

/** For a Markdown file. */
export function resultsMarkdown(rows: readonly ResultRow[]): string {
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`
  return [line(head), line(['---', '---:', '---:', '---:', '---', '---']), ...rows.map((row) => line(cells(row)))].join(
    '\n',
  )
}

function cells(row: ResultRow): string[] {
  const verdict = row.target === '' ? '' : row.isMissed ? 'MISSED' : 'met'
  return [row.what, row.median, row.range, row.runs, row.target, verdict]
}

function resultRow(measurement: Measurement, figure: Figure, runs: readonly Figures[]): ResultRow {
  const values = runs.map((run) => figureOf(measurement, figure, run))
  const middle = median(values)
  const { atLeast, atMost, unit } = figure
  return {
    what: figure.key === 'peakMemory' ? `${figure.label}, ${measurement.name}` : figure.label,
    median: `${round(middle)} ${unit}`,
    range: `${round(Math.min(...values))} to ${round(Math.max(...values))}`,
    runs: String(values.length),
    target:
      atLeast !== undefined ? `≥ ${round(atLeast)} ${unit}` : atMost !== undefined ? `≤ ${round(atMost)} ${unit}` : '',
    isMissed: (atLeast !== undefined && middle < atLeast) || (atMost !== undefined && middle > atMost),
  }
}

function figureOf(measurement: Measurement, figure: Figure, run: Figures): number {
  const value = run[figure.key]
  if (value === undefined) throw new Error(`a run of ${measurement.name} gave no figure "${figure.key}"`)
  return value
}

/** Three significant digits, because noise is larger than the rest. */
function round(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 })
}
