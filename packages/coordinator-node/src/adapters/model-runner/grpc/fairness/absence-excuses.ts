import type { AbsenceExcuse } from '../../../../ports/model-runner.ts'

/**
 * How long a restarted orchestrator may take to announce a model again. Each model may take 30 s to start, many models
 * start one after the other, and an orchestrator may be restarted twice in a row.
 */
export const announceLimitMs = 75_000
/** How long the set-up of a model may take after it was announced again. */
export const setUpLimitMs = 15_000
/** A dying orchestrator ends its models too. Their connections may be seen to end this long before its own. */
export const lossNoticeMs = 5_000

/** An announced run of a model. */
export interface AnnouncedRun {
  readonly modelId: string
  readonly deploymentId: string
}

/**
 * Decides which models are absent through no fault of their own.
 *
 * When a new session with the orchestrator begins, each model that ran at the end of the last session is excused until it
 * serves again, fails, or reaches one of the limits. The first session of this process excuses every model, because nothing
 * is known about the time before. A model whose running process the orchestrator replaces or recovers is excused until the
 * new one is set up. No model can end a session or replace itself, so none can excuse itself.
 */
export interface AbsenceExcuses {
  /** A list of models has arrived: a session begins. */
  begin(): void
  running(run: AnnouncedRun): void
  /** The orchestrator recovers the run and will announce it as running again. */
  recovering(run: AnnouncedRun): void
  /** A late message about an older run does not affect the newer one. */
  stopped(run: AnnouncedRun): void
  /** The model can be called. From now on it is to blame if it is absent. */
  serving(modelId: string): void
  /** This node gave the model up. */
  failed(modelId: string): void
  /**
   * This node could not connect to the model, or set it up. That is the model's failure, unless the session with the
   * orchestrator has ended, or ends within `lossNoticeMs`.
   */
  unreached(modelId: string): void
  /** The session has ended. */
  lost(): void
  /** Whether a session is open. */
  excuseOf(modelId: string): AbsenceExcuse | null
}

const replaced: AbsenceExcuse = {
  reason: 'not_running',
  detail: 'the model was replaced, and the coordinator is still setting up its new run',
}
const recovering: AbsenceExcuse = {
  reason: 'not_running',
  detail: 'the orchestrator is recovering the model',
}
const restarted = (detail: string): AbsenceExcuse => ({ reason: 'orchestrator_restarted', detail })

export function createAbsenceExcuses(nowMs: () => number = () => performance.now()): AbsenceExcuses {
  const session = createSessionExcuses(nowMs)
  const tended = createTendedModels(nowMs)
  return {
    ...session,
    recovering: tended.recovering,
    begin() {
      tended.clear()
      session.begin()
    },
    running(run) {
      tended.running(run)
      session.running(run)
    },
    stopped(run) {
      tended.stopped(run)
      session.stopped(run)
    },
    serving(modelId) {
      tended.serving(modelId)
      session.serving(modelId)
    },
    failed(modelId) {
      tended.ended(modelId)
      session.failed(modelId)
    },
    unreached(modelId) {
      tended.ended(modelId)
      session.unreached(modelId)
    },
    excuseOf: (modelId) => tended.excuseOf(modelId) ?? session.excuseOf(modelId),
  }
}

/** Excuses that a new session with the orchestrator gives. */
function createSessionExcuses(nowMs: () => number): Omit<AbsenceExcuses, 'recovering'> {
  let beganAtMs: number | null = null
  // Models awaited since this session began; `null`: all models except those that have failed.
  let awaited: Set<string> | null = null
  const running = new Map<string, string>()
  // Models absent through their own fault and not announced since; a carried-over excuse is not their fault.
  const down = new Set<string>()
  const announcedAtMs = new Map<string, number>()
  // Models that answer for their absence in this session.
  const accountable = new Set<string>()
  const unreached = createUnreachedRuns(nowMs)
  let isLost = false

  function fail(modelId: string): void {
    running.delete(modelId)
    down.add(modelId)
    accountable.add(modelId)
  }

  return {
    begin() {
      const at = nowMs()
      if (beganAtMs !== null && at - beganAtMs >= announceLimitMs) {
        awaited = new Set(running.keys())
        down.clear()
      } else {
        // The last session was too short for its excuses to end: they carry over.
        for (const id of running.keys()) awaited?.add(id)
      }
      beganAtMs = at
      isLost = false
      unreached.clear()
      running.clear()
      announcedAtMs.clear()
      accountable.clear()
    },
    running({ modelId, deploymentId }) {
      running.set(modelId, deploymentId)
      // It was down before this session: the restart only brought it back.
      if (down.delete(modelId)) accountable.add(modelId)
      if (!announcedAtMs.has(modelId)) announcedAtMs.set(modelId, nowMs())
    },
    stopped({ modelId, deploymentId }) {
      if (running.get(modelId) === deploymentId) fail(modelId)
    },
    serving(modelId) {
      accountable.add(modelId)
    },
    failed: fail,
    unreached(modelId) {
      if (isLost) return
      unreached.add(modelId, running.get(modelId))
      fail(modelId)
    },
    lost() {
      isLost = true
      for (const { modelId, deploymentId } of unreached.recent()) {
        down.delete(modelId)
        running.set(modelId, deploymentId)
      }
    },
    excuseOf(modelId) {
      if (beganAtMs === null || accountable.has(modelId) || down.has(modelId)) return null
      if (awaited !== null && !awaited.has(modelId)) return null
      const announced = announcedAtMs.get(modelId)
      return announced === undefined ? unannounced(nowMs() - beganAtMs) : announcedAgain(nowMs() - announced)
    },
  }
}

/** @param sinceBeganMs how long the session has lasted */
function unannounced(sinceBeganMs: number): AbsenceExcuse | null {
  if (sinceBeganMs >= announceLimitMs) return null
  return restarted('the model orchestrator or the connection to it was restarted, and has not announced the model yet')
}

function announcedAgain(sinceMs: number): AbsenceExcuse | null {
  if (sinceMs >= setUpLimitMs) return null
  return restarted('the coordinator is still setting the model up after it reconnected to the model orchestrator')
}

/** Models whose running process the orchestrator replaces or recovers. */
function createTendedModels(nowMs: () => number) {
  const running = new Map<string, string>()
  const excuses = new Map<string, { readonly excuse: AbsenceExcuse; readonly untilMs: number }>()
  const excuseFor = (modelId: string, excuse: AbsenceExcuse, limitMs: number) =>
    excuses.set(modelId, { excuse, untilMs: nowMs() + limitMs })
  function ended(modelId: string): void {
    running.delete(modelId)
    excuses.delete(modelId)
  }
  return {
    running({ modelId, deploymentId }: AnnouncedRun): void {
      const before = running.get(modelId)
      const isReplacement = before !== undefined && before !== deploymentId
      if (isReplacement || excuses.get(modelId)?.excuse === recovering) excuseFor(modelId, replaced, setUpLimitMs)
      running.set(modelId, deploymentId)
    },
    recovering({ modelId, deploymentId }: AnnouncedRun): void {
      if (running.get(modelId) === deploymentId) excuseFor(modelId, recovering, announceLimitMs)
    },
    stopped({ modelId, deploymentId }: AnnouncedRun): void {
      if (running.get(modelId) === deploymentId) ended(modelId)
    },
    ended,
    serving: (modelId: string) => excuses.delete(modelId),
    clear() {
      running.clear()
      excuses.clear()
    },
    excuseOf(modelId: string): AbsenceExcuse | null {
      const found = excuses.get(modelId)
      return found !== undefined && nowMs() < found.untilMs ? found.excuse : null
    },
  }
}

/** Runs of one session that could not be reached. */
function createUnreachedRuns(nowMs: () => number) {
  const runs = new Map<string, AnnouncedRun & { readonly atMs: number }>()
  return {
    add(modelId: string, deploymentId: string | undefined): void {
      if (deploymentId !== undefined) runs.set(modelId, { modelId, deploymentId, atMs: nowMs() })
    },
    recent: (): readonly AnnouncedRun[] => [...runs.values()].filter(({ atMs }) => nowMs() - atMs <= lossNoticeMs),
    clear: () => runs.clear(),
  }
}
