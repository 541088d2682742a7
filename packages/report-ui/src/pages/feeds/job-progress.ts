interface Progress {
  readonly status: string
  readonly start_ts: string
  readonly end_ts: string
  readonly cursor_ts: string
}

/** How much of its range a job has fetched, from 0 to 1. */
export function jobProgress({ status, start_ts, end_ts, cursor_ts }: Progress): number {
  if (status === 'completed') return 1
  const [from, to, at] = [Date.parse(start_ts), Date.parse(end_ts), Date.parse(cursor_ts)]
  return to > from ? Math.min(1, Math.max(0, (at - from) / (to - from))) : 0
}
