import { describe, expect, it } from 'vitest'
import type { FeedScope, FeedState } from '../feed-record.ts'
import type { Schedule } from '../round.ts'
import type { Heartbeat, NodeProgress, OpenRounds } from './pipeline-progress.ts'
import { type Looking, type PipelineGrid, standingStill } from './standing-still.ts'

const minute = 60_000
const at = (minutes: number): number => Date.UTC(2026, 2, 1, 10) + minutes * minute
const btc: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
const schedule: Schedule = {
  ...{ key: 'BTC-5m', scope: btc, everyMs: minute, horizonMs: 5 * minute, stepMs: minute, on: 'record' },
}
const grid: PipelineGrid = {
  schedules: [schedule],
  snapshotEveryMs: 10 * minute,
  checkpointEveryMs: 60 * minute,
  timeoutMs: 2_000,
  workEveryMs: 5_000,
  isReplay: false,
}

function feed(overrides: Partial<FeedState> = {}): FeedState {
  return {
    ...{ scope: btc, recordCount: 100, revisionCount: 0, oldestEventAt: at(-100), newestEventAt: at(59) },
    ...{ watermarkAt: at(60), updatedAt: at(60), status: 'up', statusReason: null, statusSince: at(-100) },
    ...overrides,
  } as FeedState
}

const alive = (worker: string, overrides: Partial<Heartbeat> = {}): Heartbeat => ({
  ...{ worker, at: at(60), silentMs: 2_000, overdueMs: -18_000, sinceWorkMs: 3_000, problem: null },
  ...overrides,
})

const workers = ['checkpoint', 'feed-data', 'predict', 'score'].map((worker) => alive(worker))

function open(overrides: Partial<OpenRounds>): OpenRounds {
  return {
    ...{ scheduleKey: 'BTC-5m', scope: btc, unansweredCount: 0, firstUnansweredAt: null },
    ...{ dueCount: 0, firstDueAt: null, ripeCount: 0, firstRipeAt: null, expiredCount: 0 },
    ...overrides,
  }
}

/** Rounds of five models each, with these numbers of valid answers. */
function recent(...validCounts: readonly number[]): NodeProgress['recentRounds'] {
  return validCounts.map((validCount, index) => ({
    ...{ scheduleKey: 'BTC-5m', performedAt: at(58 + index), rowCount: 5, validCount },
    commonReason: validCount === 5 ? null : 'orchestrator_unreachable',
  }))
}

/** A healthy node at minute 60: one round per minute, settled up to now, and the board of minute 60. */
function progress(overrides: Partial<NodeProgress> = {}): NodeProgress {
  return {
    ...{ feeds: [feed()], heartbeats: workers, firstModelAt: at(-100), lastRoundTimes: new Map([['BTC-5m', at(60)]]) },
    ...{ openRounds: [open({})], recentRounds: recent(5, 5, 5), refusals: [] },
    ...{ lastPeriodEnd: at(60), firstInOpenPeriod: at(60) },
    ...{ lastCheckpointEnd: at(60), firstInOpenCheckpoint: at(60) },
    ...overrides,
  }
}

const now = at(60) + 20_000
const looking: Looking = { since: at(-100), forMs: 160 * minute }
const find = (node: NodeProgress, one: PipelineGrid = grid, instant = now, since = looking) =>
  standingStill(one, node, instant, since)
const silent = (worker: string, silentMs = 60_000) =>
  workers.map((one) => (one.worker === worker ? alive(worker, { silentMs, overdueMs: silentMs - 20_000 }) : one))

describe('no standstill', () => {
  const cases: Readonly<Record<string, NodeProgress>> = {
    'a healthy node': progress(),
    'a new database': progress({
      ...{ feeds: [], heartbeats: [], firstModelAt: null, lastRoundTimes: new Map(), openRounds: [] },
      ...{ lastPeriodEnd: null, firstInOpenPeriod: null, lastCheckpointEnd: null, firstInOpenCheckpoint: null },
    }),
    'one valid answer in three rounds': progress({ recentRounds: recent(0, 1, 0) }),
    'the first two rounds without a valid answer': progress({ recentRounds: recent(0, 0) }),
    'rounds without participating models': progress({
      recentRounds: recent(0, 0, 0).map((round) => ({ ...round, rowCount: 0 })),
    }),
    'no participant yet': progress({ firstModelAt: null, lastRoundTimes: new Map() }),
    'a stale feed, which is a reason of its own': progress({
      feeds: [feed({ status: 'stale', watermarkAt: at(50) })],
      lastRoundTimes: new Map([['BTC-5m', at(50)]]),
    }),
    'a silent feed whose worker did not report it': progress({
      feeds: [feed({ watermarkAt: at(50) })],
      lastRoundTimes: new Map([['BTC-5m', at(50)]]),
    }),
    'a feed that fails its gate': progress({
      feeds: [feed({ status: 'suspect' })],
      lastRoundTimes: new Map([['BTC-5m', at(30)]]),
    }),
    'the first minutes after a weekend': progress({
      feeds: [feed({ statusSince: at(59) })],
      lastRoundTimes: new Map([['BTC-5m', at(-2_880)]]),
    }),
    'a model that has just joined': progress({ firstModelAt: at(60), lastRoundTimes: new Map() }),
    'rounds before their horizon': progress({ openRounds: [open({ dueCount: 0 })] }),
    'a round whose truth a working score worker waits for': progress({
      openRounds: [open({ dueCount: 1, firstDueAt: at(60), ripeCount: 1, firstRipeAt: at(60) })],
      firstInOpenPeriod: at(60),
    }),
    'a period in which a round can still open': progress({
      lastPeriodEnd: at(50),
      firstInOpenPeriod: at(50),
      lastRoundTimes: new Map([['BTC-5m', at(54)]]),
      feeds: [feed({ status: 'down' })],
      firstInOpenCheckpoint: at(60),
    }),
  }
  it.each(Object.entries(cases))('%s', (name, node) => {
    // The last case is checked before such a round would be too old.
    const found = find(node, grid, name.startsWith('a period') ? at(58) + 30_000 : now)
    expect(found.filter(({ mayBeWell = false }) => !mayBeWell)).toEqual([])
  })

  it('a daily grid on which nothing is due for hours after a start', () => {
    const day = 1_440 * minute
    const daily = { ...schedule, scope: { ...btc, granularity: '1d' }, everyMs: day, horizonMs: day }
    const node = progress({
      feeds: [feed({ scope: daily.scope, watermarkAt: at(-600) })],
      lastRoundTimes: new Map([['BTC-5m', at(-600) - day]]),
      ...{ firstInOpenPeriod: null, firstInOpenCheckpoint: null },
    })
    const since = { since: at(59), forMs: 80_000 }
    expect(find(node, { ...grid, schedules: [daily] }, now, since)).toEqual([])
  })
})

describe('a standstill, with its cause', () => {
  const cases: Readonly<Record<string, [NodeProgress, { stage: string; what: RegExp; heldUpBy: RegExp }]>> = {
    'no round opens because the predict worker is silent': [
      progress({ heartbeats: silent('predict'), lastRoundTimes: new Map([['BTC-5m', at(50)]]) }),
      { stage: 'prediction', what: /no round of "BTC-5m" opens/, heldUpBy: /predict worker has been silent since/ },
    ],
    'no round opens, and no predict worker was ever active': [
      progress({ heartbeats: [], lastRoundTimes: new Map() }),
      { stage: 'prediction', what: /no round of "BTC-5m" opens/, heldUpBy: /no predict worker has ever/ },
    ],
    'no round opens, although the predict worker is alive': [
      progress({ lastRoundTimes: new Map([['BTC-5m', at(50)]]) }),
      { stage: 'prediction', what: /no round of "BTC-5m" opens/, heldUpBy: /its records arrive too late/ },
    ],
    'failing scores, with the reason': [
      progress({
        refusals: [
          {
            ...{ what: 'scores', scheduleKey: 'BTC-5m', count: 3, of: 4, since: at(58) },
            reason: 'score.compute failed at node/contract.ts:38: NaN',
          },
        ],
      }),
      { stage: 'score', what: /^3 of 4 scores of "BTC-5m" failed$/, heldUpBy: /^score.compute failed at node/ },
    ],
    'a round without answers': [
      progress({ openRounds: [open({ unansweredCount: 2, firstUnansweredAt: at(58) })] }),
      { stage: 'prediction', what: /2 rounds of "BTC-5m" stay without answers/, heldUpBy: /has not written them/ },
    ],
    'no model answers, while everything else works': [
      progress({ recentRounds: recent(0, 0, 0) }),
      {
        stage: 'prediction',
        what: /the last 3 rounds of "BTC-5m" have no valid answer from any model/,
        heldUpBy:
          /all 15 answers are missing or invalid; the most common reason in the last round is orchestrator_unreachable/,
      },
    ],
    'rounds not settled by a silent score worker': [
      progress({
        heartbeats: silent('score'),
        openRounds: [open({ dueCount: 3, firstDueAt: at(58), ripeCount: 3, firstRipeAt: at(58) })],
      }),
      { stage: 'score', what: /3 rounds of "BTC-5m" could be settled/, heldUpBy: /score worker has been silent since/ },
    ],
    'repeatedly failing settlement': [
      progress({
        heartbeats: workers.map((one) => (one.worker === 'score' ? alive('score', { sinceWorkMs: 90_000 }) : one)),
        openRounds: [open({ dueCount: 1, firstDueAt: at(58), ripeCount: 1, firstRipeAt: at(58) })],
      }),
      { stage: 'score', what: /1 round of/, heldUpBy: /has not completed a pass over its work for 1 min 30 s/ },
    ],
    'expired rounds that are not void': [
      progress({
        openRounds: [open({ dueCount: 1, firstDueAt: at(-5), ripeCount: 1, firstRipeAt: at(-5), expiredCount: 1 })],
      }),
      { stage: 'score', what: /1 round of/, heldUpBy: /although the deadline for their truth has passed/ },
    ],
    'a board that waits for the truths of rounds': [
      progress({
        ...{ lastPeriodEnd: at(40), firstInOpenPeriod: at(41) },
        openRounds: [open({ dueCount: 7, firstDueAt: at(45), ripeCount: 7, firstRipeAt: at(45) })],
      }),
      {
        stage: 'snapshot',
        what: /leaderboard stands still at 2026-03-01T10:40/,
        heldUpBy: /7 unresolved rounds of "BTC-5m" since 2026-03-01T10:45.*truth is not known/,
      },
    ],
    'a period that could be closed': [
      progress({ ...{ lastPeriodEnd: at(40), firstInOpenPeriod: at(41) }, heartbeats: silent('score') }),
      { stage: 'snapshot', what: /the period up to 2026-03-01T10:50/, heldUpBy: /score worker has been silent/ },
    ],
    'a checkpoint that waits for the board': [
      progress({
        lastPeriodEnd: at(-70),
        firstInOpenPeriod: at(-65),
        lastCheckpointEnd: at(-120),
        firstInOpenCheckpoint: at(-65),
      }),
      {
        stage: 'checkpoint',
        what: /checkpoint of 2026-03-01T09:00.* is overdue/,
        heldUpBy: /the leaderboard, which is closed up to 2026-03-01T08:50/,
      },
    ],
    'a checkpoint when no board was ever computed': [
      progress({ lastPeriodEnd: null, firstInOpenPeriod: at(-65), firstInOpenCheckpoint: at(-65) }),
      { stage: 'checkpoint', what: /is overdue/, heldUpBy: /the leaderboard, which has no closed period yet/ },
    ],
    'a board that was never computed': [
      progress({ lastPeriodEnd: null, firstInOpenPeriod: at(41) }),
      {
        stage: 'snapshot',
        what: /stands still and was never computed/,
        heldUpBy: /worker is alive, but closing fails/,
      },
    ],
    'a checkpoint that a live worker does not close': [
      progress({ lastCheckpointEnd: at(-60), firstInOpenCheckpoint: at(-55) }),
      { stage: 'checkpoint', what: /is overdue/, heldUpBy: /checkpoint worker is alive, but closing fails/ },
    ],
    'rounds without answers and without reasons': [
      progress({ recentRounds: recent(0, 0, 0).map((round) => ({ ...round, commonReason: null })) }),
      { stage: 'prediction', what: /no valid answer/, heldUpBy: /the most common reason in the last round is unknown/ },
    ],
    'a checkpoint that could be closed': [
      progress({ lastCheckpointEnd: at(-60), firstInOpenCheckpoint: at(-55), heartbeats: silent('checkpoint') }),
      { stage: 'checkpoint', what: /is overdue/, heldUpBy: /checkpoint worker has been silent/ },
    ],
  }
  it.each(Object.entries(cases))('%s', (_name, [node, { stage, what, heldUpBy }]) => {
    expect(find(node)).toContainEqual(
      expect.objectContaining({
        stage,
        what: expect.stringMatching(what),
        heldUpBy: expect.stringMatching(heldUpBy),
        fix: expect.stringContaining('crunch restart'),
      }),
    )
  })

  it.each(['feed-data', 'predict', 'score', 'checkpoint'])('a silent %s worker, even if nothing is due', (worker) => {
    expect(find(progress({ heartbeats: silent(worker) }))).toEqual([
      expect.objectContaining({ what: `the ${worker} worker sends no heartbeat`, graceMs: 0 }),
    ])
  })

  it('a clock round that did not open, from the next instant of its grid on', () => {
    const clocked = { ...grid, schedules: [{ ...schedule, on: 'clock' as const }] }
    const node = progress({ lastRoundTimes: new Map([['BTC-5m', at(58)]]) })
    expect(find(node, clocked, at(60))).toEqual([])
    expect(find(node, clocked, at(60) + 1)).toMatchObject([{ what: expect.stringContaining('no round of "BTC-5m"') }])
  })

  it('a silent worker unknown to this version', () => {
    const heartbeats = [...workers, alive('archive', { silentMs: 60_000, overdueMs: 40_000 })]
    expect(find(progress({ heartbeats }))).toMatchObject([
      { stage: 'feed', what: 'the archive worker sends no heartbeat' },
    ])
  })

  it('a worker that was silent at the first check gets time to start', () => {
    const found = find(progress({ heartbeats: silent('score', 3_600_000) }), grid, now, {
      since: at(60),
      forMs: 20_000,
    })
    expect(found).toEqual([expect.objectContaining({ graceMs: 60_000 })])
  })

  it('a replay that has released no record for long, unless it has ended or waits for its pace', () => {
    const stuck = workers.map((one) => (one.worker === 'feed-data' ? alive('feed-data', { sinceWorkMs: 50_000 }) : one))
    const replay = { ...grid, isReplay: true }
    expect(find(progress({ heartbeats: stuck }), replay)).toEqual([
      expect.objectContaining({ stage: 'feed', what: 'the replay does not advance', since: at(60) }),
    ])
    const heldUpBy = (node: NodeProgress) => find(node, replay).map((found) => found.heldUpBy)
    expect(heldUpBy(progress({ heartbeats: stuck }))[0]).toContain('asking the models of "BTC-5m"')
    const idle = progress({ heartbeats: stuck, lastRoundTimes: new Map([['BTC-5m', at(59)]]) })
    expect(heldUpBy(idle)[0]).not.toContain('asking the models')
    const beforeFirst = { heartbeats: stuck, feeds: [feed({ watermarkAt: null })] }
    expect(find(progress(beforeFirst), replay)).toEqual([expect.objectContaining({ since: at(60) - 48_000 })])
    expect(find(progress({ heartbeats: [] }), replay)).toEqual([])
    expect(find(progress({ heartbeats: stuck, feeds: [feed({ status: 'down' })] }), replay)).toEqual([])
    expect(find(progress(), replay)).toEqual([])
    // The passes of a live feed worker are not counted.
    expect(find(progress({ heartbeats: stuck }))).toEqual([])
  })
})

it('reports at once, and only once, failing code of the contract; the last board stays', () => {
  const problem = 'leaderboard.rank failed at node/contract.ts:38: no such window'
  const failing = (worker: string) =>
    workers.map((one) => (one.worker === worker ? alive(worker, { sinceWorkMs: 90_000, problem }) : one))
  const overdue = {
    lastPeriodEnd: at(50),
    firstInOpenPeriod: at(50),
    openRounds: [open({ ripeCount: 1, firstRipeAt: at(58) })],
  }
  const [board, ...others] = find(progress({ ...overdue, heartbeats: failing('score') }))
  expect(board).toMatchObject({
    ...{ stage: 'snapshot', what: 'the leaderboard stands still at 2026-03-01T10:50:00.000Z', heldUpBy: problem },
    ...{ since: at(60) - 88_000, graceMs: 0, dataGraceMs: 0, fix: expect.stringContaining('crunch restart score') },
  })
  expect(others).toMatchObject([{ stage: 'score', mayBeWell: true }])
  const fromTheStart = [alive('score', { sinceWorkMs: null, problem })]
  expect(find(progress({ heartbeats: fromTheStart }))).toMatchObject([{ since: at(60) }])
  const late = { lastCheckpointEnd: at(0), firstInOpenCheckpoint: at(0), heartbeats: failing('checkpoint') }
  expect(find(progress(late))).toMatchObject([
    { stage: 'checkpoint', what: 'no checkpoint can be closed', heldUpBy: problem },
  ])
})

it('reports why inputs are refused instead of a presumed reason why no round opens', () => {
  const refused = {
    what: 'inputs',
    scheduleKey: 'BTC-5m',
    count: 9,
    of: null,
    since: at(51),
    reason: 'input.build failed',
  } as const
  const found = find(progress({ lastRoundTimes: new Map([['BTC-5m', at(50)]]), refusals: [refused] }))
  expect(found).toEqual([expect.objectContaining({ heldUpBy: 'input.build failed', graceMs: 0 })])
})

it('keeps its key while the same stage stands still, and gets a new one after progress', () => {
  const keyOf = (lastAt: number, instant: number) =>
    find(progress({ lastRoundTimes: new Map([['BTC-5m', lastAt]]), heartbeats: [] }), grid, instant).map(
      ({ key }) => key,
    )
  expect(keyOf(at(50), now)).toEqual(keyOf(at(50), now + 10_000))
  expect(keyOf(at(50), now)).not.toEqual(keyOf(at(51), now))
})
