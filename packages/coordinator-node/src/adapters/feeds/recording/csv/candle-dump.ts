import { readInstant } from '../../../../domain/instant-text.ts'
import { durationMs, formatDuration } from '../../../../domain/time.ts'
import { RowProblem } from '../recording-error.ts'
import type { RecordingSeries } from '../recording-options.ts'

const openTime = 'open_time'
const closeTime = 'close_time'

/** The columns of Binance's public candle files, named as in the header of the newer files. */
const dumpColumns: readonly string[] = [
  ...[openTime, 'open', 'high', 'low', 'close', 'volume', closeTime],
  ...['quote_volume', 'count', 'taker_buy_volume', 'taker_buy_quote_volume', 'ignore'],
]

/** The columns of a file without a header line whose first line looks like a public candle file. */
export function columnsOfDump(cells: readonly string[], series: RecordingSeries): readonly string[] | undefined {
  if (series.kind !== 'candle' || cells.length !== dumpColumns.length) return undefined
  const openAt = readInstant(cells[0])
  const closeAt = readInstant(cells[dumpColumns.indexOf(closeTime)])
  if (openAt.at === undefined || closeAt.at === undefined) return undefined
  return openAt.format !== 'date' && openAt.format === closeAt.format && closeAt.at > openAt.at
    ? dumpColumns
    : undefined
}

/** Refuses candles whose length differs from the feed's granularity, if the file has closing times. */
export function checkCandleLength(
  columns: readonly string[],
  cells: readonly string[],
  { kind, granularity }: RecordingSeries,
): void {
  if (kind !== 'candle' || !columns.includes(openTime) || !columns.includes(closeTime)) return
  const openAt = readInstant(cells[columns.indexOf(openTime)]).at
  const closeAt = readInstant(cells[columns.indexOf(closeTime)]).at
  if (openAt === undefined || closeAt === undefined || closeAt <= openAt) return
  // A candle closes one time unit before the next one opens; here that is at most a millisecond.
  const lengthMs = Math.round((closeAt - openAt) / 1_000) * 1_000
  if (lengthMs === durationMs(granularity) || closeAt - openAt === durationMs(granularity)) return
  const problem = `the candle is ${formatDuration(lengthMs || closeAt - openAt)} long, and those of the feed are ${granularity}`
  throw new RowProblem(problem, "Name the file of the feed's granularity, or change the granularity of the feed.")
}
