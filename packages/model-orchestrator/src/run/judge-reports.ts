import type { FailureReport } from '@crunch/model-protocol'
import type { OrchestratorLog } from '../log.ts'
import { type ProbeLimits, type ProbeResult, probeModel } from './probe-model.ts'
import type { ServingRun, SupervisedModel } from './supervised-model.ts'

/** So many reports of the coordinator in charge about one run need no confirmation: it called the model between them. */
const REPORTS_UNTIL_BELIEVED = 3
/** Reports of clients without the key cause at most one probe per pause: a probe makes the model busy for a moment. */
const PROBE_PAUSE_MS = 60_000

/** The sender of a report. */
export interface Reporter {
  /** Whether it has the orchestrator's key, which makes it the coordinator in charge. */
  readonly hasKey: boolean
  /** Whether a coordinator in charge is connected. */
  readonly isOverruled: boolean
}

export interface ReportJudge {
  take(model: SupervisedModel | undefined, report: FailureReport, reporter: Reporter): void
  close(): Promise<void>
}

/**
 * Decides whether a coordinator's failure report ends a run. No single message may stop a model permanently: a report
 * causes a probe, and only a failed probe, or the third report of the coordinator in charge about the same run, ends the
 * run. A model that passes the probe is announced again, so that the coordinator that gave it up calls it again.
 */
export function createReportJudge(input: {
  readonly baseClassName: string
  readonly log: OrchestratorLog
  readonly limits: ProbeLimits
}): ReportJudge {
  const { baseClassName, log, limits } = input
  const ending = new AbortController()
  const probes = new Map<ServingRun, Promise<void>>()
  const probedAt = new WeakMap<ServingRun, number>()
  const reportCounts = new WeakMap<ServingRun, number>()

  async function judge(model: SupervisedModel, serving: ServingRun, report: FailureReport, hasKey: boolean) {
    const count = (reportCounts.get(serving) ?? 0) + (hasKey ? 1 : 0)
    reportCounts.set(serving, count)
    const found = await probeModel(serving.target, baseClassName, limits, ending.signal)
    if (ending.signal.aborted || !model.isServing(serving)) return
    const isBelieved = hasKey && count >= REPORTS_UNTIL_BELIEVED
    if (found.isConfirmed || isBelieved) model.giveUp(serving, inLightOf(found, report), whyOf(found, count))
    else {
      const fields = { modelId: report.model_id, code: report.failure_code, reported: report.failure_reason ?? '' }
      log.warn('failure report is not confirmed; the model keeps running', { ...fields, found: found.finding })
      model.announceAgain(serving)
    }
  }

  return {
    take(model, report, { hasKey, isOverruled }) {
      const fields = { modelId: report.model_id, code: report.failure_code }
      const serving = model?.servingAt(report.ip)
      if (model === undefined || serving === undefined) {
        log.warn('failure report does not name a serving model', fields)
        return
      }
      model.noteReport(report)
      if (!hasKey && isOverruled) {
        log.warn(
          'failure report of a client without the key is ignored: the coordinator in charge is connected',
          fields,
        )
        return
      }
      const isTooSoon = !hasKey && performance.now() - (probedAt.get(serving) ?? -PROBE_PAUSE_MS) < PROBE_PAUSE_MS
      if (isTooSoon || probes.has(serving)) return
      probedAt.set(serving, performance.now())
      const probe = judge(model, serving, report, hasKey).finally(() => probes.delete(serving))
      probes.set(serving, probe)
    },
    async close() {
      ending.abort()
      await Promise.all(probes.values())
    },
  }
}

/** A hanging model looks like a lost connection to a coordinator, but a restart does not cure it, so its code changes. */
function inLightOf({ hangs, finding }: ProbeResult, report: FailureReport): FailureReport {
  if (!hangs || report.failure_code !== 'CONNECTION_FAILED') return report
  const reason = [finding, report.failure_reason].filter(Boolean).join('; ')
  return { ...report, failure_code: 'MULTIPLE_TIMEOUT', failure_reason: reason }
}

function whyOf({ isConfirmed, finding }: ProbeResult, count: number): string {
  return isConfirmed ? `the orchestrator found that ${finding}` : `the coordinator in charge reported it ${count} times`
}
