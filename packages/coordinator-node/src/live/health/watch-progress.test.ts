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
  /** When a score worker that lives has last finished its work; `undefined`: the store knows. */
  scoreWorkedAtMs?: number
}

/** As the store would tell it, were its clock the scene's. */
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

/** A watch on a memory store, whose clocks go on by hand. */
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
    /** Time goes on by some seconds; then the watch looks. */
    async after(seconds: number) {
      scene.now += seconds * 1_000
      scene.monotonicMs += seconds * 1_000
      await watch.look()
      return watch.latest()
    },
    watch,
  }
}

/** Two models, an open period with a round that nobody settles, and a fresh feed. */
async function leaveUnsettled(store: MemoryStore): Promise<void> {
  await prepare(store)
  await answeredRound(store, round(0, { expiresAt: minute(1_000) }))
  await store.appendRecords([candle(4)])
  await store.putFeedStatus(btc, 'up', null, minute(5))
}

describe('the watch', () => {
  it('says that there is no model yet, which is no alarm', async () => {
    const { after } = openScene()
    expect(await after(3_600)).toEqual({ alarms: [], notes: ['no model has joined yet: rounds open once one has'] })
  })

  it('tells a standstill once it has lasted, in health for as long as it lasts and in the log once', async () => {
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
          heldUpBy: 'no score worker has ever given a sign of life',
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
    'tells of a score worker that lives but is stuck, looking for work every %i ms, within %i s',
    async (workEveryMs, limit) => {
      const { scene, store, after } = openScene({ workEveryMs })
      await leaveUnsettled(store)
      scene.now = minute(5) + 1_000
      scene.scoreWorkedAtMs = 0
      await after(0)
      // The beat that told of its last work came up to 5 s late.
      scene.scoreWorkedAtMs = 5_000
      const alarms: string[] = []
      for (let seconds = 5; seconds <= limit && alarms.length === 0; seconds += 5) {
        alarms.push(...(await after(5)).alarms.map(({ heldUpBy }) => `${seconds} s: ${heldUpBy}`))
      }
      expect(alarms).toEqual([expect.stringMatching(/the score worker is alive, but has not completed a pass/)])
    },
  )

  it('is no alarm while a score worker at work waits for a truth, nor when the round has just expired', async () => {
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
    expect(await look(10)).toMatchObject([{ heldUpBy: expect.stringContaining('time for a truth has passed') }])
  })

  it('is no alarm while one after the other is settled: a node that is slow does not stand still', async () => {
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

  it('gives a replay the same time by the wall, however fast its own time goes', async () => {
    const { scene, store, after } = openScene({ isReplay: true, speed: Number.POSITIVE_INFINITY })
    await leaveUnsettled(store)
    scene.now = minute(5)
    await after(0)
    scene.now = minute(600)
    // The feed has stopped as far as a replay's time tells; only what is asked by the wall is asked.
    await store.putFeedStatus(btc, 'stale', null, minute(10))
    const early = (await after(39)).alarms.map(({ stage }) => stage)
    expect(early).toEqual([])
    expect((await after(1)).alarms.map(({ stage }) => stage)).toContain('score')
  })

  it('names a clock that is behind what is stored, at the first look, and since when', async () => {
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

  it('does not go on with what it saw when it cannot look any more', async () => {
    const { scene, watch, after } = openScene()
    await after(1)
    scene.isReachable = false
    await expect(after(20)).rejects.toThrow('no connection')
    expect(watch.latest().alarms).toEqual([])
    await expect(after(20)).rejects.toThrow('no connection')
    expect(watch.latest().alarms).toMatchObject([{ what: 'the state of the pipeline cannot be read' }])
  })
})
