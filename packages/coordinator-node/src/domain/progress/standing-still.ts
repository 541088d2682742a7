import { type FeedState, feedScopeKey } from '../feed-record.ts'
import { freshnessMs, isFresh } from '../feed-trust.ts'
import { noRoundCanResolveBefore } from '../period.ts'
import type { Schedule } from '../round.ts'
import { describeLength, durationMs, floorToGrid, formatInstant, type Instant } from '../time.ts'
import type { Heartbeat, NodeProgress, OpenRounds } from './pipeline-progress.ts'
import { silentModels } from './silent-models.ts'
import { refusals } from './standing-refusals.ts'
import type { Stoppage } from './stoppage.ts'

/** The times of the contract at which something should happen. */
export interface PipelineGrid {
  readonly schedules: readonly Schedule[]
  readonly snapshotEveryMs: number
  readonly checkpointEveryMs: number
  /** Time limit of a dispatch to the models. */
  readonly timeoutMs: number
  /** How often the score and the checkpoint worker look for work. */
  readonly workEveryMs: number
  /** Whether time follows a recording. */
  readonly isReplay: boolean
}

/** When the caller began to check: in pipeline time, and how long ago by a monotonic clock. */
export interface Looking {
  readonly since: Instant
  readonly forMs: number
}

/** A worker needs some seconds for due work, in addition to the interval between two passes. */
const workGraceMs = 30_000
/** A worker that was silent before the first check may be starting, which takes some time with its models. */
const startGraceMs = 60_000
/** More time than writing a dispatch may take. */
const answerGraceMs = 15_000

/**
 * What stands still at an instant. Pure, and computed from stored facts alone, so that any process can detect it. What
 * was missed before the caller began to look is not reported.
 */
export function standingStill(grid: PipelineGrid, progress: NodeProgress, now: Instant, looking: Looking): Stoppage[] {
  return [
    ...silentWorkers(progress.heartbeats, looking),
    ...failingWorkers(progress),
    ...(grid.isReplay ? stuckReplay(grid, progress) : []),
    ...grid.schedules.flatMap((schedule) => unopenedRounds(grid, schedule, progress, now, looking.since)),
    ...progress.openRounds.flatMap((rounds) => unansweredRounds(grid, progress, rounds)),
    ...grid.schedules.flatMap((schedule) => silentModels(schedule, progress)),
    ...progress.openRounds.flatMap((rounds) => unsettledRounds(grid, progress, rounds)),
    ...refusals(progress),
    ...openPeriod(grid, progress, now),
    ...openCheckpoint(grid, progress, now),
  ]
}

const stageOf: Readonly<Record<string, Stoppage['stage']>> = {
  'feed-data': 'feed',
  predict: 'prediction',
  score: 'score',
  checkpoint: 'checkpoint',
}

/** The services of `crunch deploy`, which carry the workers. */
const serviceOf: Readonly<Record<string, string>> = { 'feed-data': 'predict', checkpoint: 'score' }

function restartFix(worker: string): string {
  const service = serviceOf[worker] ?? worker
  return `find the cause with crunch logs ${service}, and start it again with crunch restart ${service}`
}

function silentWorkers(heartbeats: readonly Heartbeat[], { forMs }: Looking): Stoppage[] {
  return heartbeats
    .filter(({ overdueMs }) => overdueMs > 0)
    .map(({ worker, at, silentMs }) => ({
      stage: stageOf[worker] ?? 'feed',
      key: `worker ${worker}`,
      what: `the ${worker} worker sends no heartbeat`,
      since: at,
      heldUpBy: `it exited, is stopped, hangs, or cannot reach the database; silent for ${describeLength(silentMs)}`,
      fix: restartFix(worker),
      // The expected interval already included a margin.
      graceMs: silentMs > forMs ? startGraceMs : 0,
      dataGraceMs: 0,
    }))
}

/** Contract code throws when boards or payouts are computed: the last ones stay, and waiting does not help. */
function failingWorkers({ heartbeats, lastPeriodEnd }: NodeProgress): Stoppage[] {
  return heartbeats.flatMap((heartbeat): Stoppage[] => {
    const { worker, problem } = heartbeat
    if (problem === null) return []
    const isBoard = worker === 'score'
    return [
      {
        stage: isBoard ? 'snapshot' : 'checkpoint',
        key: `code ${worker}`,
        what: isBoard ? boardStands(lastPeriodEnd) : 'no checkpoint can be closed',
        since: workedAt(heartbeat),
        heldUpBy: problem,
        fix: `correct that code, make sure that crunch check reports no problem, and run crunch restart ${serviceOf[worker] ?? worker}`,
        graceMs: 0,
        dataGraceMs: 0,
      },
    ]
  })
}

/** When a worker finished its last pass; its heartbeat before the first. */
function workedAt({ at, silentMs, sinceWorkMs }: Heartbeat): Instant {
  return sinceWorkMs === null ? at : at + silentMs - sinceWorkMs
}

function hasProblem(heartbeats: readonly Heartbeat[], worker: string): boolean {
  return heartbeats.some((heartbeat) => heartbeat.worker === worker && heartbeat.problem !== null)
}

function boardStands(lastPeriodEnd: Instant | null): string {
  return `the leaderboard stands still${lastPeriodEnd === null ? ' and was never computed' : ` at ${formatInstant(lastPeriodEnd)}`}`
}

/**
 * The recording's time does not advance, although its process is alive. A process that waits for its pace counts as
 * working.
 */
function stuckReplay({ timeoutMs }: PipelineGrid, { heartbeats, feeds, lastRoundTimes }: NodeProgress): Stoppage[] {
  const heartbeat = heartbeats.find(({ worker }) => worker === 'feed-data')
  const hasEnded = feeds.every(({ status }) => status === 'down')
  if (heartbeat === undefined || heartbeat.sinceWorkMs === null || hasEnded) return []
  const { sinceWorkMs } = heartbeat
  if (sinceWorkMs <= workGraceMs + timeoutMs) return []
  const watermarks = feeds.flatMap(({ watermarkAt }) => (watermarkAt === null ? [] : [watermarkAt]))
  const since = watermarks.length === 0 ? workedAt(heartbeat) : Math.max(...watermarks)
  const newestRounds = [...lastRoundTimes].filter(([, at]) => at === since).map(([key]) => `"${key}"`)
  const rounds = newestRounds.length === 0 ? '' : ` It was asking the models of ${newestRounds.join(', ')}.`
  return [
    {
      stage: 'feed',
      key: `replay ${since}`,
      what: 'the replay does not advance',
      since,
      heldUpBy: `its process is alive, but has released no record for ${describeLength(sinceWorkMs)}: it waits for models, the score worker or the database.${rounds}`,
      fix: restartFix('predict'),
      graceMs: 0,
      dataGraceMs: 0,
    },
  ]
}

/** Why a worker does not do what is due; `null` when it appears to be alive. */
function workerFault({ workEveryMs }: PipelineGrid, heartbeats: readonly Heartbeat[], worker: string): string | null {
  const heartbeat = heartbeats.find((candidate) => candidate.worker === worker)
  if (heartbeat === undefined) return `no ${worker} worker has ever sent a heartbeat`
  if (heartbeat.overdueMs > 0) return `the ${worker} worker has been silent since ${formatInstant(heartbeat.at)}`
  const { sinceWorkMs, problem } = heartbeat
  // A separate alarm reports it.
  if (problem !== null) return null
  if (sinceWorkMs !== null && sinceWorkMs > workGraceMs + 2 * workEveryMs) {
    return `the ${worker} worker is alive, but has not completed a pass over its work for ${describeLength(sinceWorkMs)}: it fails or waits for the database`
  }
  return null
}

/** A fresh feed delivered the record that should have opened a round, but none was opened. */
function unopenedRounds(
  grid: PipelineGrid,
  schedule: Schedule,
  { feeds, heartbeats, firstModelAt, lastRoundTimes, refusals: refused }: NodeProgress,
  now: Instant,
  lookedSince: Instant,
): Stoppage[] {
  const feed = feeds.find(({ scope }) => feedScopeKey(scope) === feedScopeKey(schedule.scope))
  // Without a participant there is no model to ask, and an unhealthy feed is reported separately.
  if (firstModelAt === null || feed === undefined || !isWell(feed, now)) return []
  const lastAt = lastRoundTimes.get(schedule.key) ?? null
  const nextCell = lastAt === null ? firstModelAt : floorToGrid(lastAt, schedule.everyMs) + schedule.everyMs
  const since = Math.max(nextCell, feed.statusSince, firstModelAt, lookedSince)
  // A record opens the round of its cell, and comes at the latest when the feed would be stale; a clock opens it on the grid.
  const waitMs = schedule.on === 'clock' ? schedule.everyMs : freshnessMs(durationMs(schedule.scope.granularity))
  if (now <= since + waitMs) return []
  // That is reported separately, with the reason.
  if (refused.some(({ what, scheduleKey }) => what === 'inputs' && scheduleKey === schedule.key)) return []
  return [
    {
      stage: 'prediction',
      key: `rounds ${schedule.key} ${lastAt}`,
      what: `no round of "${schedule.key}" opens, although its feed is fresh`,
      since: lastAt ?? since,
      heldUpBy:
        workerFault(grid, heartbeats, 'predict') ??
        'the predict worker is alive: its records arrive too late, or its clock is wrong',
      fix: restartFix('predict'),
      graceMs: workGraceMs,
      dataGraceMs: 0,
    },
  ]
}

function isWell({ status, watermarkAt, scope }: FeedState, now: Instant): boolean {
  return status === 'up' && watermarkAt !== null && isFresh(watermarkAt, durationMs(scope.granularity), now)
}

function unansweredRounds(
  grid: PipelineGrid,
  { heartbeats }: NodeProgress,
  { scheduleKey, unansweredCount, firstUnansweredAt }: OpenRounds,
): Stoppage[] {
  if (firstUnansweredAt === null) return []
  return [
    {
      stage: 'prediction',
      key: `answers ${scheduleKey} ${firstUnansweredAt}`,
      what: `${countOf(unansweredCount, 'round')} of "${scheduleKey}" stay without answers`,
      since: firstUnansweredAt,
      heldUpBy: workerFault(grid, heartbeats, 'predict') ?? 'the predict worker is alive, but has not written them',
      fix: restartFix('predict'),
      graceMs: grid.timeoutMs + answerGraceMs,
      dataGraceMs: 0,
    },
  ]
}

/**
 * Rounds that settling has to decide on. A round that deliberately waits for its truth is not the score worker's fault. But its time
 * counts from the first decision: it takes a while to detect a stuck worker, and the same time must not be granted twice.
 */
function unsettledRounds(
  grid: PipelineGrid,
  { heartbeats }: NodeProgress,
  { scheduleKey, ripeCount, firstRipeAt, expiredCount }: OpenRounds,
): Stoppage[] {
  if (firstRipeAt === null) return []
  const fault = workerFault(grid, heartbeats, 'score')
  const unsettled = {
    stage: 'score',
    what: `${countOf(ripeCount, 'round')} of "${scheduleKey}" could be settled, but are not`,
    since: firstRipeAt,
    fix: restartFix('score'),
    graceMs: workGraceMs + 2 * grid.workEveryMs,
    dataGraceMs: 0,
  } as const
  const ripe: Stoppage = {
    ...unsettled,
    key: `rounds ${scheduleKey} ${firstRipeAt}`,
    heldUpBy: fault ?? 'settling waits for their truth',
    mayBeWell: fault === null,
  }
  if (fault !== null || expiredCount === 0) return [ripe]
  const heldUpBy =
    'the score worker is alive, but does not settle them although the deadline for their truth has passed'
  return [ripe, { ...unsettled, key: `expired ${scheduleKey} ${firstRipeAt}`, heldUpBy }]
}

function openPeriod(grid: PipelineGrid, progress: NodeProgress, now: Instant): Stoppage[] {
  const { firstInOpenPeriod, lastPeriodEnd, heartbeats } = progress
  const end = closableEnd(grid, progress, firstInOpenPeriod, grid.snapshotEveryMs, now)
  if (end === null || hasProblem(heartbeats, 'score')) return []
  return [
    {
      stage: 'snapshot',
      key: `period ${end}`,
      what: `${boardStands(lastPeriodEnd)}: the period up to ${formatInstant(end)} is not closed`,
      since: end,
      heldUpBy:
        unresolvedBefore(grid, progress, end) ?? workerFault(grid, heartbeats, 'score') ?? closingFails('score'),
      fix: restartFix('score'),
      graceMs: workGraceMs + 2 * grid.workEveryMs,
      dataGraceMs: slowestFeedMs(grid),
    },
  ]
}

function openCheckpoint(grid: PipelineGrid, progress: NodeProgress, now: Instant): Stoppage[] {
  const { firstInOpenCheckpoint, firstInOpenPeriod, lastPeriodEnd, heartbeats } = progress
  const end = closableEnd(grid, progress, firstInOpenCheckpoint, grid.checkpointEveryMs, now)
  if (end === null || hasProblem(heartbeats, 'checkpoint')) return []
  const isBoardBehind = firstInOpenPeriod !== null && firstInOpenPeriod < end
  const board = `the leaderboard, which ${lastPeriodEnd === null ? 'has no closed period yet' : `is closed up to ${formatInstant(lastPeriodEnd)}`}`
  return [
    {
      stage: 'checkpoint',
      key: `checkpoint ${end}`,
      what: `the checkpoint of ${formatInstant(end)} is overdue`,
      since: end,
      heldUpBy: isBoardBehind ? board : (workerFault(grid, heartbeats, 'checkpoint') ?? closingFails('checkpoint')),
      fix: restartFix('checkpoint'),
      graceMs: 2 * (workGraceMs + 2 * grid.workEveryMs),
      dataGraceMs: slowestFeedMs(grid),
    },
  ]
}

const closingFails = (worker: string) => `the ${worker} worker is alive, but closing fails`

/** The end of the cell of a grid that holds the first round, once no round can be opened in it any more; `null` before. */
function closableEnd(
  { schedules }: PipelineGrid,
  { lastRoundTimes }: NodeProgress,
  first: Instant | null,
  everyMs: number,
  now: Instant,
): Instant | null {
  if (first === null) return null
  const end = floorToGrid(first, everyMs) + everyMs
  const isOver = noRoundCanResolveBefore(
    end,
    now,
    schedules.map(({ key, horizonMs, scope }) => ({
      horizonMs,
      freshnessMs: freshnessMs(durationMs(scope.granularity)),
      lastRoundAt: lastRoundTimes.get(key) ?? null,
    })),
  )
  return now >= end && isOver ? end : null
}

function unresolvedBefore(grid: PipelineGrid, { openRounds, heartbeats }: NodeProgress, end: Instant): string | null {
  const blocking = openRounds.filter(({ firstDueAt }) => firstDueAt !== null && firstDueAt < end)
  if (blocking.length === 0) return null
  const why =
    workerFault(grid, heartbeats, 'score') ?? 'their truth is not known yet; they become void when they expire'
  const rounds = blocking.map(
    ({ scheduleKey, dueCount, firstDueAt }) =>
      `${countOf(dueCount, 'unresolved round')} of "${scheduleKey}" since ${formatInstant(firstDueAt as Instant)}`,
  )
  return `${rounds.join(', ')} (${why})`
}

function slowestFeedMs({ schedules }: PipelineGrid): number {
  return Math.max(...schedules.map(({ scope }) => freshnessMs(durationMs(scope.granularity))))
}

const countOf = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
