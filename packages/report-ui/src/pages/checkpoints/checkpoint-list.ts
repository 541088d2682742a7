interface Payout {
  readonly id: string
  readonly period_end: string
}

/** Payouts, newest first, after one of them changed or a new one closed. */
export function withCheckpoint<Row extends Payout>(list: readonly Row[], changed: Row): readonly Row[] {
  const others = list.filter(({ id }) => id !== changed.id)
  return [...others, changed].sort((one, other) => Date.parse(other.period_end) - Date.parse(one.period_end))
}
