import { Counter, Histogram, type Registry } from 'prom-client'
import type { PipelineProgress } from '../../domain/progress/pipeline-progress.ts'
import type { Instant } from '../../domain/time.ts'
import type { ReportReads } from '../../ports/reads/report-reads.ts'

/** Rounds may be stored a while after their instant; those of the last minute are counted by a later read. */
const lateMs = 60_000
/** Rows of one read. */
const maxRows = 5_000
/** The engine has about 25 reasons. */
const maxReasons = 40

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Counts what was stored since the first read of this process: each row once. */
export interface AnswerMetrics {
  read(reads: ReportReads, progress: PipelineProgress, now: Instant): Promise<void>
}

export function createAnswerMetrics(registry: Registry): AnswerMetrics {
  const { predictions, failures, durations, scores, leftOut } = defineMetrics(registry)
  const reasons = new Set<string>()
  let answeredUntil: Instant | undefined
  let scoredUntil: Instant | null | undefined

  function reasonLabel(reason: string): string {
    if (reasons.size < maxReasons && /^[a-z_]{1,40}$/.test(reason)) reasons.add(reason)
    return reasons.has(reason) ? reason : 'other'
  }

  async function countAnswers(reads: ReportReads, progress: PipelineProgress, now: Instant): Promise<void> {
    const unanswered = progress.openRounds.map(({ firstUnansweredAt }) => firstUnansweredAt ?? now)
    const to = Math.min(now - lateMs, ...unanswered.map((at) => at - 1))
    const from = (answeredUntil ?? to) + 1
    if (to < from) {
      answeredUntil ??= to
      return
    }
    const rows = await reads.predictionReports({ modelIds: [], from, to, limit: maxRows })
    answeredUntil = to
    if (rows.length === maxRows) leftOut.inc()
    for (const { prediction } of rows) {
      const { status, reason, blame, durationMs } = prediction
      const isValid = reason === null
      predictions.inc({ outcome: isValid ? 'valid' : status.toLowerCase() })
      if (!isValid) failures.inc({ reason: reasonLabel(reason), blame: blame ?? 'none' })
      else if (durationMs !== null) durations.observe(durationMs / 1_000)
    }
  }

  async function countScores(reads: ReportReads, { lastPeriodEnd }: PipelineProgress): Promise<void> {
    if (scoredUntil === undefined || lastPeriodEnd === null) {
      scoredUntil ??= lastPeriodEnd
      return
    }
    if (scoredUntil !== null && lastPeriodEnd <= scoredUntil) return
    const from = scoredUntil === null ? 0 : scoredUntil + 1
    const rows = await reads.snapshotReports({ modelIds: [], from, to: lastPeriodEnd, limit: maxRows })
    scoredUntil = lastPeriodEnd
    if (rows.length === maxRows) leftOut.inc()
    for (const { scoreCount, validCount } of rows) {
      scores.inc({ outcome: 'valid' }, validCount)
      scores.inc({ outcome: 'imputed' }, Math.max(0, scoreCount - validCount))
    }
  }

  return {
    async read(reads, progress, now) {
      await Promise.all([countAnswers(reads, progress, now), countScores(reads, progress)])
    },
  }
}

function defineMetrics(registry: Registry) {
  const registers = [registry]
  const predictions = new Counter({
    ...{
      name: 'crunch_predictions_total',
      help: 'Rows of answered rounds since the start of this process.',
      registers,
    },
    labelNames: ['outcome'],
  })
  const failures = new Counter({
    ...{ name: 'crunch_model_failures_total', help: 'Missing or invalid answers, by reason and who caused them.' },
    ...{ registers, labelNames: ['reason', 'blame'] },
  })
  const durations = new Histogram({
    ...{ name: 'crunch_model_answer_duration_seconds', help: 'From sending a call to having its valid answer.' },
    ...{ registers, buckets: seconds },
  })
  const scores = new Counter({
    ...{ name: 'crunch_scores_total', help: 'Scores of closed snapshot periods; imputed stands for a missing answer.' },
    ...{ registers, labelNames: ['outcome'] },
  })
  const leftOut = new Counter({
    ...{
      name: 'crunch_metrics_incomplete_reads_total',
      help: `Reads that left out rows beyond ${maxRows}.`,
      registers,
    },
  })
  return { predictions, failures, durations, scores, leftOut }
}
