interface Activity {
  readonly counts: Readonly<Partial<Record<string, number>>>
  readonly reasons: Readonly<Record<string, number>>
}

interface FailureReason {
  readonly reason: string
  readonly count: number
  /** Models that have it. */
  readonly modelCount: number
}

/** The reasons of missing answers of all models together, the most frequent first. */
export function failuresByReason(rows: readonly Activity[]): {
  readonly reasons: readonly FailureReason[]
  /** All answers, valid ones included. */
  readonly rowCount: number
} {
  const sums = new Map<string, { count: number; modelCount: number }>()
  let rowCount = 0
  for (const { counts, reasons } of rows) {
    for (const count of Object.values(counts)) rowCount += count ?? 0
    for (const [reason, count] of Object.entries(reasons)) {
      const sum = sums.get(reason) ?? { count: 0, modelCount: 0 }
      sums.set(reason, { count: sum.count + count, modelCount: sum.modelCount + 1 })
    }
  }
  const reasons = [...sums].map(([reason, sum]) => ({ reason, ...sum }))
  return { reasons: reasons.sort((one, other) => other.count - one.count), rowCount }
}
