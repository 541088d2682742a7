import { describe, expect, it } from 'vitest'
import { createTestLog } from '../../../test/test-log.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { PipelineGrid } from '../../domain/progress/standing-still.ts'
import {
  answeredRound,
  btc,
  candle,
  minute,
  minuteMs,
  prepare,
  round,
  schedule,
  settleRequest,
  voidAll,
} from '../../ports/store-samples.ts'
import { watchProgress } from './watch-progress.ts'

const grid: PipelineGrid = {
  schedules: [schedule()],
  ...{ snapshotEveryMs: 10 * minuteMs, checkpointEveryMs: 60 * minuteMs },
  ...{ timeoutMs: 1_000, workEveryMs: 5_000, isReplay: false },
}

interface SceneOptions {
  readonly workEveryMs?: number
  readonly isReplay?: boolean
  readonly speed?: number
  readonly storeAt?: () => number | null
}

interface Scene {
  now: number
  monotonicMs: number
  isReachable: boolean
  /** When a running score worker last finished its work; `undefined`: the stored time is used. */
  scoreWorkedAtMs?: number
}

/** The facts of the store, as if its clock were the scene's. */
function scoreBeat({ now, monotonicMs, scoreWorkedAtMs = 0 }: Scene) {
  return {
    worker: 'score',
    at: now,
    silentMs: 0,
    overdueMs: -20_000,
    sinceWorkMs: monotonicMs - scoreWorkedAtMs,
    problem: null,
  }
}

/** A watch on a memory store, with clocks advanced by the test. */
function openScene({ isReplay = false, speed = 1, workEveryMs = grid.workEveryMs, storeAt }: SceneOptions = {}) {
  const scene: Scene = { now: minute(0), monotonicMs: 0, isReachable: true }
  const store: MemoryStore = createMemoryStore()
  const log = createTestLog()
  const watch = watchProgress({
    grid: { ...grid, isReplay, workEveryMs },
    reads: {
      feedStates: () => (scene.isReachable ? store.feedStates() : Promise.reject(new Error('no connection'))),
      async pipelineProgress(at) {
        const progress = await store.pipelineProgress(at)
        return scene.scoreWorkedAtMs === undefined ? progress : { ...progress, heartbeats: [scoreBeat(scene)] }
      },
      storeTime: async () => (storeAt === undefined ? scene.now : storeAt()),
    },
    clock: { now: () => scene.now, refresh: async () => scene.now, turn: async () => {} },
    ...{ toleranceMs: 5_000, speed, log, monotonicMs: () => scene.monotonicMs },
  })
  return {
    ...{ scene, store, log },
    /** Advances time by some seconds, then lets the watch check. */
    async after(seconds: number) {
      scene.now += seconds * 1_000
      scene.monotonicMs += seconds * 1_000
      await watch.look()
      return watch.latest()
    },
    watch,
  }
}

/** Two models, an open period with an unsettled round, and a fresh feed. */
async function leaveUnsettled(store: MemoryStore): Promise<void> {
  await prepare(store)
  await answeredRound(store, round(0, { expiresAt: minute(1_000) }))
  await store.appendRecords([candle(4)])
  await store.putFeedStatus(btc, 'up', null, minute(5))
}

describe('the watch', () => {
  it('notes, without an alarm, that there is no model yet', async () => {
    const { after } = openScene()
    expect(await after(3_600)).toEqual({ alarms: [], notes: ['no model has joined yet: rounds open once one has'] })
  })

  it('reports a lasting standstill in health until it ends, and in the log once', async () => {
    const { scene, store, log, after } = openScene()
    await leaveUnsettled(store)
    scene.now = minute(5) + 1_000
    expect((await after(0)).alarms).toEqual([])
    expect((await after(39)).alarms).toEqual([])
    for (const seconds of [1, 5]) {
      expect((await after(seconds)).alarms).toEqual([
        {
          stage: 'score',
          what: '1 round of "BTCUSDT-5m" could be settled, but are not',
          since: minute(5),
          heldUpBy: 'no score worker has ever sent a heartbeat',
          fix: expect.stringContaining('crunch restart score'),
        },
      ])
    }
    await store.beat({ worker: 'score', nextWithinMs: 60_000, hasWorked: true, problem: null })
    expect((await after(5)).alarms).toEqual([])
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', '1 round of "BTCUSDT-5m" could be settled, but are not'],
      ['info', 'no longer: 1 round of "BTCUSDT-5m" could be settled, but are not'],
    ])
    expect(log.lines[0]?.fields).toMatchObject({ stage: 'score', since: '2026-03-01T10:05:00.000Z' })
  })

  it.each([
    [1_000, 42],
    [5_000, 50],
  ])(
    'reports a score worker that is alive but stuck, with an interval of %i ms, within %i s',
    async (workEveryMs, limit) => {
      const { scene, store, after } = openScene({ workEveryMs })
      await leaveUnsettled(store)
      scene.now = minute(5) + 1_000
      scene.scoreWorkedAtMs = 0
      await after(0)
      // The heartbeat that reported its last pass came up to 5 s late.
      scene.scoreWorkedAtMs = 5_000
      const alarms: string[] = []
      for (let seconds = 5; seconds <= limit && alarms.length === 0; seconds += 5) {
        alarms.push(...(await after(5)).alarms.map(({ heldUpBy }) => `${seconds} s: ${heldUpBy}`))
      }
      expect(alarms).toEqual([expect.stringMatching(/the score worker is alive, but has not completed a pass/)])
    },
  )

  it('raises no alarm while a working score worker waits for a truth, or right after the round has expired', async () => {
    const { scene, store, after } = openScene()
    await prepare(store)
    await answeredRound(store, round(0, { expiresAt: minute(10) }))
    await store.appendRecords([candle(4)])
    await store.putFeedStatus(btc, 'up', null, minute(5))
    scene.now = minute(5) + 1_000
    const look = async (seconds: number) => {
      scene.scoreWorkedAtMs = scene.monotonicMs + seconds * 1_000
      return (await after(seconds)).alarms.filter(({ stage }) => stage === 'score')
    }
    for (let seconds = 0; seconds < 300; seconds += 5) expect(await look(5)).toEqual([])
    expect(await look(35)).toEqual([])
    expect(await look(10)).toMatchObject([{ heldUpBy: expect.stringContaining('deadline for their truth has passed') }])
  })

  it('raises no alarm while rounds are settled one after the other, however slowly', async () => {
    const { scene, store, after } = openScene()
    await leaveUnsettled(store)
    for (const count of [1, 2, 3]) await answeredRound(store, round(count, { expiresAt: minute(1_000) }))
    await store.appendRecords([candle(7)])
    scene.now = minute(8) + 1_000
    await after(0)
    for (let settled = 0; settled < 3; settled += 1) {
      await store.settleRounds(settleRequest({ now: scene.now, limit: 1 }), (due) => voidAll(due))
      expect((await after(39)).alarms).toEqual([])
    }
    await after(0)
    expect((await after(40)).alarms).not.toEqual([])
  })

  it('measures a replay by wall time, regardless of its speed', async () => {
    const { scene, store, after } = openScene({ isReplay: true, speed: Number.POSITIVE_INFINITY })
    await leaveUnsettled(store)
    scene.now = minute(5)
    await after(0)
    scene.now = minute(600)
    // By replay time the feed has stopped, but only wall time counts.
    await store.putFeedStatus(btc, 'stale', null, minute(10))
    const early = (await after(39)).alarms.map(({ stage }) => stage)
    expect(early).toEqual([])
    expect((await after(1)).alarms.map(({ stage }) => stage)).toContain('score')
  })

  it('reports a clock that is behind the stored records at the first check, with its start', async () => {
    const { scene, store, after, log } = openScene()
    await store.appendRecords([candle(119)])
    expect(await after(0)).toMatchObject({
      alarms: [
        {
          what: expect.stringMatching(/this machine's clock is 2 h behind the newest record/),
          since: minute(0),
          fix: expect.stringContaining('NTP'),
        },
      ],
    })
    expect((await after(30)).alarms[0]?.since).toBe(minute(0))
    expect(log.lines).toHaveLength(1)
    scene.now = minute(120)
    expect((await after(0)).alarms).toEqual([])
  })

  it.each([
    ['behind', minute(120)],
    ['ahead of', minute(-120)],
  ])("names a clock that is %s the database server's", async (word, storeAt) => {
    const { after } = openScene({ storeAt: () => storeAt })
    expect((await after(0)).alarms).toMatchObject([
      { what: expect.stringContaining(`2 h ${word} that of the database`) },
    ])
  })

  it('replaces its last result by an alarm when the state cannot be read any more', async () => {
    const { scene, watch, after } = openScene()
    await after(1)
    scene.isReachable = false
    await expect(after(20)).rejects.toThrow('no connection')
    expect(watch.latest().alarms).toEqual([])
    await expect(after(20)).rejects.toThrow('no connection')
    expect(watch.latest().alarms).toMatchObject([{ what: 'the state of the pipeline cannot be read' }])
  })
})
