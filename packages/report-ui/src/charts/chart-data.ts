/** Values of a chart, one for each of its times; null is a gap. */
export type Values = readonly (number | null)[]

export interface Line {
  /** Written at the line's end. */
  readonly label: string
  readonly values: Values
  /** One of the six colours of the palette; absent: a thin grey line for context. */
  readonly hue?: 1 | 2 | 3 | 4 | 5 | 6
  readonly isDashed?: boolean
}

/** The area between two lines, such as quantiles of the field. */
export interface Band {
  readonly label: string
  readonly low: Values
  readonly high: Values
}

export interface Candles {
  readonly open: Values
  readonly high: Values
  readonly low: Values
  readonly close: Values
}

/** A stretch of time that is drawn hatched, in ms. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

/** An instant that is marked, in ms. */
export interface Tick {
  readonly at: number
  readonly label: string
}

export interface ChartData {
  /** Ascending, in ms. */
  readonly times: readonly number[]
  readonly lines?: readonly Line[]
  readonly bands?: readonly Band[]
  readonly candles?: Candles
  readonly spans?: readonly Span[]
  readonly ticks?: readonly Tick[]
  /** The values are whole numbers of which the smallest is best and stands above. */
  readonly areRanks?: boolean
  /** What the values can be; absent: the chart shows those that there are. */
  readonly range?: readonly [low: number, high: number]
}

export interface ChartColumn {
  readonly title: string
  readonly values: Values
}

/** The numbers of a chart as columns, for its table and its readout. */
export function chartColumns({ lines = [], bands = [], candles }: ChartData): readonly ChartColumn[] {
  return [
    ...(candles === undefined
      ? []
      : Object.entries(candles).map(([title, values]) => ({ title, values: values as Values }))),
    ...lines.map(({ label, values }) => ({ title: label, values })),
    ...bands.flatMap(({ label, low, high }) => [
      { title: `${label}, low`, values: low },
      { title: `${label}, high`, values: high },
    ]),
  ]
}
