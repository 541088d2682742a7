import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../coordinator-node/test/seeded-random.ts'
import { type Change, forbiddenChanges, lateAnswers, readAudit, startAudit } from '../src/faults/audit.ts'
import { lostAnswers, wrongBlame } from '../src/faults/blame-check.ts'
import { describeFault, type Happened, runFaults } from '../src/faults/fault-loop.ts'
import { type Fault, planFaults } from '../src/faults/fault-plan.ts'
import {
  failedHealth,
  type HealthSample,
  type Progress,
  type Span,
  slowHealth,
  untrueHealth,
  watchHealth,
} from '../src/faults/health-watch.ts'
import { findLibfaketime } from '../src/faults/libfaketime.ts'
import { type LiveNode, openLiveNode } from '../src/faults/live-node.ts'
import { secondsCompetition } from '../src/faults/seconds-contract.ts'
import { expectRecomputed } from '../src/recompute/expect-recomputed.ts'
import { byInput, type ScheduleCounts, uncountedRounds, unsettledRows, wrongAnswerRows } from '../src/row-checks.ts'
import { closeAt } from '../src/second-market.ts'
import { readStoredRows, type StoredRows } from '../src/stored-rows.ts'
import { until } from '../src/until.ts'

// CRUNCH_FAULTS sets the number of faults, CRUNCH_SEED selects them; the output of a run contains its seed. Quick runs use short faults.
const faultCount = Number(process.env.CRUNCH_FAULTS ?? 6)
const seed = Number(process.env.CRUNCH_SEED ?? Date.now() % 2 ** 31)
const longestMs = faultCount > 20 ? 60_000 : 6_000

const libfaketime = await findLibfaketime()

const goodHealthLimitMs = 120_000
const settledLimitMs = 120_000
const stableMs = 12_000

/** Interval at which the report worker checks the stored facts. */
const lookMs = 5_000
/** Extra time for a machine that is busy with faults. */
const busyMs = 3_000
/** Time in which a worker must do due work, by the node's rules. */
const workGraceMs = 30_000
/** Time until a live but stuck score worker is an alarm, with a second between its runs; see live/health/README.md. */
const stuckLimitMs = 42_000
/** Time in which the process that serves health is restarted. */
const restartMs = 15_000
/** How long a newly started report worker treats a silent worker as starting. */
const startGraceMs = 60_000

/** Faults that are injected first and alone, so that missing answers are due only to them. */
const alone: readonly Fault[] = [
  { kind: 'hold', target: 'model', lengthMs: 3_000, overlaps: false },
  { kind: 'cut-server', target: 'model', lengthMs: 3_000, overlaps: false },
]
const everyAnswerMs = 6_000
const everyAnswerLimitMs = 120_000

const inserted = (tableName: string, status?: string) => (change: Change) =>
  change.tableName === tableName && change.operation === 'INSERT' && (status === undefined || change.status === status)

const { everyMs, freshnessMs } = secondsCompetition

/**
 * Activities that continue while a node is healthy. One stands still when no event was seen for its grid step, plus the time
 * after which the node must report it (stale feed, missed heartbeat, overdue work), plus a check interval and a few seconds
 * for a busy machine.
 */
function progressOf(happened: readonly Happened[]): readonly Progress[] {
  const afterStarts = reportFaults(happened).map(({ from, through }) => ({ from, through: through + startGraceMs }))
  const feeds = ['BTCUSDT', 'ETHUSDT'].map((subject) => ({
    what: `record of ${subject}`,
    limitMs: everyMs + freshnessMs + busyMs,
    isSeen: (change: Change) => inserted('feed_records')(change) && change.id === subject,
  }))
  const rounds = secondsCompetition.scheduleKeys.map((key) => ({
    what: `round of ${key}`,
    limitMs: everyMs + freshnessMs + workGraceMs + lookMs + busyMs,
    isSeen: (change: Change) => inserted('inputs')(change) && change.scheduleKey === key,
  }))
  const workers = ['feed-data', 'predict', 'score', 'checkpoint'].map((worker) => ({
    what: `heartbeat of the ${worker} worker`,
    limitMs: 20_000 + lookMs + busyMs,
    isSeen: ({ tableName, id }: Change) => tableName === 'worker_heartbeats' && id === worker,
    excused: afterStarts,
  }))
  return [
    ...feeds,
    { what: 'heartbeat of the lease', limitMs: 10_000 + busyMs, isSeen: ({ tableName }) => tableName === 'leases' },
    ...workers,
    ...rounds,
    { what: 'valid answer', limitMs: 60_000, isSeen: inserted('predictions', 'PENDING') },
    { what: 'score', limitMs: stuckLimitMs + freshnessMs + busyMs, isSeen: inserted('scores') },
    { what: 'leaderboard', limitMs: 65_000, isSeen: inserted('leaderboards') },
    { what: 'checkpoint', limitMs: 115_000, isSeen: inserted('checkpoints') },
  ]
}

/** When the process that serves health was a fault's target, or was restarting. */
function reportFaults(happened: readonly Happened[]): readonly Span[] {
  return happened
    .filter(({ target }) => target === 'report' || target === 'supervisor')
    .map(({ startedAt, lengthMs }) => ({ from: startedAt, through: startedAt + lengthMs + restartMs }))
}

/** One second more than its own time limit. */
const healthLimitMs = 3_000

const isSkipped = libfaketime === undefined && process.env.CI === undefined

describe.skipIf(isSkipped)(
  `a live node that meets ${faultCount} faults (skipped without the Debian package libfaketime)`,
  () => {
    let live: LiveNode
    let rows: StoredRows
    let watermark: number
    let counts: readonly ScheduleCounts[]
    let changes: readonly Change[]
    let samples: readonly HealthSample[]
    let happened: readonly Happened[] = []
    /** Log lines of the report worker that explain failed requests. */
    let failures: readonly string[] = []

    beforeAll(
      async () => {
        if (libfaketime === undefined) throw new Error('libfaketime is missing: apt-get install libfaketime')
        console.log(`fault loop: ${faultCount} faults, seed ${seed}`)
        live = await openLiveNode(libfaketime)
        await live.deploy()
        await startAudit(live.sql)
        await goodHealth(live)
        const health = watchHealth(live.node.apiPort)
        const random = seededRandom(seed)
        const log = (line: string) => console.log(line)
        for (const fault of alone) {
          // Only faults before which every answer was valid are judged. On a busy machine that may need several attempts.
          for (let tries = 0; tries < 5; tries += 1) {
            await everyAnswer(live)
            happened = [...happened, ...(await runFaults(live, [fault], random, log))]
            const { predictions } = await readStoredRows(live.sql)
            if (lostAnswers(happened, predictions).some((lost) => lost.fault === happened.at(-1))) break
          }
        }
        await everyAnswer(live)
        const plan = planFaults(faultCount, longestMs, random)
        happened = [...happened, ...(await runFaults(live, plan, random, log))]
        // The node must recover by itself.
        await goodHealth(live)
        await health.stop()
        samples = health.samples
        failures = await failedRequests(live)
        live.market.isPublishing = false
        await settled(live)
        await live.node.crunch(['down'])
        rows = await readStoredRows(live.sql)
        changes = await readAudit(live.sql)
        counts = await live.sql<ScheduleCounts[]>`
        select key, opened_count as opened, missed_count as missed from scheduled_prediction_configs order by key`
        watermark =
          (await live.sql<{ at: number }[]>`select min(watermark_at) as at from feed_ingestion_state`)[0]?.at ?? 0
        console.log(summary(rows, counts, samples, happened))
      },
      faultCount * 30_000 + 600_000,
    )
    afterAll(() => live?.close(), 120_000)

    const because = () => `seed ${seed}\n${happened.map(describeFault).join('\n')}`

    test('stores no answer after its truth could be known', () => {
      expect(lateAnswers(changes), because()).toEqual([])
    })

    test('writes every row once, and changes no closed rows', () => {
      expect(forbiddenChanges(changes), because()).toEqual([])
    })

    test('has one row per model in every round', () => {
      expect(wrongAnswerRows(rows), because()).toEqual([])
    })

    test('counts every round that it missed', () => {
      expect(uncountedRounds(rows, counts, secondsCompetition.everyMs), because()).toEqual([])
    })

    test('settles everything that is due', () => {
      expect(unsettledRows(rows, watermark), because()).toEqual([])
    })

    test('blames a model, with the reason, for missing answers while its connection is broken', () => {
      const lost = lostAnswers(happened, rows.predictions)
      // At least one lone fault of each kind must have been judged, or this test checks nothing.
      expect(
        lost.map(({ fault }) => fault.kind),
        because(),
      ).toEqual(expect.arrayContaining(alone.map(({ kind }) => kind)))
      expect(wrongBlame(lost), because()).toEqual([])
    })

    test('scores every answer by the prices of the exchange', () => {
      expect(wrongScores(rows), because()).toEqual([])
    })

    test('has the boards and checkpoints that follow from its rows', () => {
      expect(rows.checkpoints.length, because()).toBeGreaterThan(0)
      expectRecomputed(rows, secondsCompetition)
    })

    test('reports its health in time, in any state of the database', () => {
      const excused = reportFaults(happened)
      expect(slowHealth(samples, healthLimitMs, excused), because()).toEqual([])
    })

    test('never fails to report its health', () => {
      expect(failedHealth(samples), `${because()}\n${failures.join('\n')}`).toEqual([])
    })

    test('never reports "ok" while an activity stands still', () => {
      expect(untrueHealth(samples, changes, progressOf(happened)), because()).toEqual([])
    })
  },
)

async function goodHealth({ node }: LiveNode): Promise<void> {
  let last: unknown
  await until('a good health', goodHealthLimitMs, async () => {
    last = await node.api('/healthz').catch(String)
    return (last as { status?: string }).status === 'ok'
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${JSON.stringify(last)}`)
  })
}

/** Waits until every model has answered every round for some seconds. */
async function everyAnswer({ sql }: LiveNode): Promise<void> {
  await until('rounds that every model answers', everyAnswerLimitMs, async () => {
    const from = Date.now() - everyAnswerMs
    const rows = await sql<{ at: number; reason: string | null }[]>`
      select performed_at as at, reason from predictions where performed_at > ${from}`
    const isWholeSpan = rows.some(({ at }) => at <= from + 2 * everyMs)
    return isWholeSpan && rows.every(({ reason }) => reason === null)
  })
}

async function failedRequests({ node }: LiveNode): Promise<readonly string[]> {
  const log = await readFile(join(node.directory, 'node/.crunch/logs/report.log'), 'utf8')
  return log.split('\n').filter((line) => line.includes('request failed') && line.includes('/healthz'))
}

/** Waits until nothing changes any more, without new records. */
async function settled({ sql }: LiveNode): Promise<void> {
  const state = async () =>
    JSON.stringify(
      await sql`
    select (select count(*) from inputs) as rounds, (select count(*) from inputs where status = 'RECEIVED') as open,
      (select count(*) from scores) as scores, (select count(*) from leaderboards) as boards,
      (select count(*) from checkpoints) as checkpoints`,
    )
  await until('a node that has settled everything', settledLimitMs, async () => {
    const before = await state()
    await setTimeout(stableMs)
    return (await state()) === before
  })
}

function wrongScores({ inputs, predictions, scores }: StoredRows): readonly string[] {
  const answers = byInput(predictions)
  const scoreOf = new Map(scores.map((score) => [score.predictionId, score]))
  return inputs.flatMap(({ id, subject, performedAt, resolvableAt, status, voidReason, actuals }) => {
    if (status !== 'RESOLVED') return []
    const own = answers.get(id) ?? []
    if (voidReason !== null)
      return own.filter((answer) => scoreOf.has(answer.id)).map((answer) => `${answer.id} of a void round has a score`)
    // A candle becomes known when it closes, one second after it opens.
    const actual = closeAt(subject, resolvableAt - 1_000) / closeAt(subject, performedAt - 1_000) - 1
    if (!isClose((actuals as { return: number }).return, actual))
      return [`${id} has the truth ${JSON.stringify(actuals)}, not ${actual}`]
    const valid = own.filter((answer) => answer.status === 'SCORED')
    const expected = (answer: (typeof own)[number]) => (answer.output as { value: number }).value * actual * 10_000
    const worst = Math.min(...valid.map(expected))
    return own.flatMap((answer) => {
      const score = scoreOf.get(answer.id)
      const isImputed = answer.status !== 'SCORED' && answer.blame === 'model' && valid.length > 0
      const value = answer.status === 'SCORED' ? expected(answer) : isImputed ? worst : null
      const isRight =
        value === null ? score === undefined : score !== undefined && isClose(score.value?.value as number, value)
      return isRight ? [] : [`${answer.id} (${answer.status}) scores ${JSON.stringify(score?.value)}, not ${value}`]
    })
  })
}

/** The exchange sends prices with eight decimals. */
const isClose = (one: number, other: number) => Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(other))

function summary(
  { inputs, predictions, leaderboards, checkpoints }: StoredRows,
  counts: readonly ScheduleCounts[],
  samples: readonly HealthSample[],
  happened: readonly Happened[],
): string {
  const tally = (names: readonly string[]) =>
    [...new Set(names)]
      .sort()
      .map((name) => `${name} ${names.filter((other) => other === name).length}`)
      .join(', ')
  const slowest = Math.round(Math.max(...samples.map(({ tookMs }) => tookMs)))
  return [
    `faults: ${tally(happened.map(({ kind, target }) => `${kind} ${target}`))}`,
    `rounds: ${inputs.length}, void ${inputs.filter(({ voidReason }) => voidReason !== null).length}, missed ${counts.map(({ key, missed }) => `${key} ${missed}`).join(', ')}`,
    `predictions: ${tally(predictions.map(({ status, reason, blame }) => (reason === null ? status : `${status} ${reason} (${blame})`)))}`,
    `leaderboards ${leaderboards.length}, checkpoints ${checkpoints.length}`,
    `degraded: ${tally(samples.flatMap(({ reasons }) => reasons.map((reason) => reason.replace(/[\d.:TZ-]{8,}/g, '…'))))}`,
    `health: ${tally(samples.map(({ status }) => status ?? 'no answer'))}, slowest answer ${slowest} ms`,
  ].join('\n')
}
