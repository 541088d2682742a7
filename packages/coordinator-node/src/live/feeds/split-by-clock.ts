import { formatInstant, type Instant } from '../../domain/time.ts'

export interface ClockSplit<Record> {
  readonly kept: readonly Record[]
  /** Records known further in the future than the tolerance allows. */
  readonly ahead: readonly Record[]
}

/**
 * Splits a live batch into records that are plausible by this node's clock, and records from the future. The latter would
 * move the watermark ahead, so that the series would look fresh and rounds resolvable until time has caught up.
 */
export function splitByClock<Record extends { readonly knownAt: Instant }>(
  records: readonly Record[],
  receivedAt: Instant,
  toleranceMs: number,
): ClockSplit<Record> {
  const isAhead = ({ knownAt }: Record) => knownAt - receivedAt > toleranceMs
  if (!records.some(isAhead)) return { kept: records, ahead: [] }
  return { kept: records.filter((record) => !isAhead(record)), ahead: records.filter(isAhead) }
}

/** Describes which of the two clocks is probably wrong, and by how much. */
export function describeAhead(source: string, knownAt: Instant, receivedAt: Instant, toleranceMs: number): string {
  const seconds = (lengthMs: number) => `${Math.round(lengthMs) / 1_000} s`
  return `a record is known at ${formatInstant(knownAt)}, ${seconds(knownAt - receivedAt)} after the time of this node (${formatInstant(receivedAt)}): the clock of this node is behind, or that of ${source} ahead, by more than the ${seconds(toleranceMs)} of FEED_CLOCK_TOLERANCE_SECONDS; set this node's clock by NTP`
}
