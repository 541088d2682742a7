import { expect, it } from 'vitest'
import type { Checkpoint } from '../domain/checkpoint.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  checkpoint,
  filter,
  leaderboard,
  minute,
  minuteMs,
  periodRounds,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
  voidAll,
} from './store-samples.ts'

// Rounds resolve five minutes after they open; periods take ten minutes.

export function retentionTests(context: StoreUnderTest): void {
  const store = () => context.store

  /** Settled rounds that resolve at each minute up to 40, of which some are void, and closed periods up to 30. */
  async function history(...checkpoints: readonly Checkpoint[]): Promise<void> {
    await prepare(store())
    for (let at = -4; at <= 35; at += 3) await answeredRound(store(), round(at))
    await store().settleRounds(settleRequest({ now: minute(90) }), (due) =>
      due.round.id === round(-1).id ? voidAll(due) : resolveAll(due),
    )
    for (const end of [10, 20, 30]) {
      const snapshots = [snapshot('a', end), snapshot('b', end)]
      await store().closePeriod({ rounds: periodRounds(end), snapshots, leaderboard: leaderboard(end) })
    }
    for (const one of checkpoints) await store().addCheckpoint(one)
  }

  const inMinutes = (at: number) => (at - minute(0)) / minuteMs
  const request = (before: number, limit = 100) => ({ before: minute(before), windowMs: 0, limit })
  const roundsLeft = async () => [
    ...new Set((await store().predictionReports(filter())).map(({ prediction }) => inMinutes(prediction.resolvableAt))),
  ]
  const periodsLeft = async () =>
    (await store().periodsBetween(minute(-100), minute(100))).map(({ periodEnd }) => inMinutes(periodEnd))
  const paid = (from: number, to: number, rest: Partial<Checkpoint> = {}) =>
    checkpoint(to, { periodStart: minute(from), ...rest })

  it('deletes old rounds with their predictions and scores, the oldest first, as many as it is asked for', async () => {
    await history(paid(0, 30))
    const counts = await store().roundCounts()
    expect(await store().pruneRounds(request(13, 3))).toBe(3)
    expect(await roundsLeft()).toEqual([10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40])
    expect(await store().pruneRounds(request(13))).toBe(1)
    expect(await store().pruneRounds(request(13))).toBe(0)
    expect(await store().firstResolvableAt(0)).toBe(minute(13))
    expect(await store().roundCounts()).toEqual({ ...counts, voidCount: 0 })
    expect((await store().periodResults(minute(13), minute(14))).map(({ scoreKind }) => scoreKind)).toEqual([
      'valid',
      'valid',
    ])
  })

  it('deletes old periods with their snapshots and leaderboards', async () => {
    await history(paid(0, 30))
    expect(await store().prunePeriods(request(25, 1))).toBe(1)
    expect(await periodsLeft()).toEqual([20, 30])
    expect(await store().prunePeriods(request(25))).toBe(1)
    expect(await periodsLeft()).toEqual([30])
    expect(await store().snapshotReports(filter())).toEqual([snapshot('a', 30), snapshot('b', 30)])
    expect(await store().latestLeaderboard()).toEqual(leaderboard(30))
  })

  it('keeps rounds without a result, however old', async () => {
    await history(paid(0, 30))
    await store().openRound(round(14, { era: 1, performedAt: minute(25.5) }))
    await answeredRound(store(), round(0, { performedAt: minute(26) }))
    await store().pruneRounds(request(1_000))
    expect(await store().hasUnresolvedRounds(minute(31.5))).toBe(true)
    expect((await store().unansweredRounds()).map(({ id }) => id)).toEqual([round(0, { performedAt: minute(25.5) }).id])
    expect(await store().firstResolvableAt(0)).toBe(minute(30.5))
  })

  it('keeps the rounds of the open period, and the last period', async () => {
    await history(paid(0, 1_000))
    await store().pruneRounds(request(1_000))
    await store().prunePeriods(request(1_000))
    expect(await roundsLeft()).toEqual([31, 34, 37, 40])
    expect(await periodsLeft()).toEqual([30])
  })

  it('keeps the rounds and periods of the longest window', async () => {
    await history(paid(0, 1_000))
    await store().pruneRounds({ ...request(1_000), windowMs: 15 * minuteMs })
    await store().prunePeriods({ ...request(1_000), windowMs: 15 * minuteMs })
    expect((await roundsLeft())[0]).toBe(16)
    expect(await periodsLeft()).toEqual([20, 30])
  })

  it('keeps everything since the end of the last checkpoint', async () => {
    await history(paid(-10, 10))
    await store().pruneRounds(request(1_000))
    await store().prunePeriods(request(1_000))
    expect((await roundsLeft())[0]).toBe(10)
    expect(await periodsLeft()).toEqual([20, 30])
  })

  it('keeps everything while there is no checkpoint or no closed period', async () => {
    await history()
    expect(await store().pruneRounds(request(1_000))).toBe(0)
    expect(await store().prunePeriods(request(1_000))).toBe(0)
  })

  it('keeps what an unacknowledged checkpoint was computed from, until it is acknowledged', async () => {
    const refusals = [{ what: 'scores', count: 1, of: 2, reason: 'it throws' }] as const
    await history(paid(-20, 10), paid(10, 20, { refusals, acknowledged: null }), paid(20, 30))
    await store().pruneRounds(request(1_000))
    await store().prunePeriods(request(1_000))
    expect((await roundsLeft())[0]).toBe(10)
    expect(await periodsLeft()).toEqual([20, 30])
    await store().acknowledgeCheckpoint(checkpoint(20).id, { by: 'o', at: minute(40) })
    await store().pruneRounds(request(1_000))
    await store().prunePeriods(request(1_000))
    expect((await roundsLeft())[0]).toBe(31)
    // The newest leaderboard stays, because it shows which periods are closed.
    expect(await periodsLeft()).toEqual([30])
  })

  it('keeps models and checkpoints, and opens no deleted round again', async () => {
    await history(paid(0, 30))
    await store().pruneRounds(request(1_000))
    await store().prunePeriods(request(1_000))
    expect(await store().models()).toHaveLength(2)
    expect(await store().checkpoints({ limit: 9 })).toHaveLength(1)
    await expect(store().openRound(round(-4))).rejects.toMatchObject({ code: 'PERIOD_CLOSED' })
    expect(await store().lastRoundTimes()).toEqual(new Map([['BTCUSDT-5m', minute(35)]]))
  })
}
