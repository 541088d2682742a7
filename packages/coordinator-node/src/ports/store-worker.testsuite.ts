import { expect, it, vi } from 'vitest'
import type { FeedRecord } from '../domain/feed-record.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { Store } from './store.ts'
import {
  backfillJob,
  backfillPage,
  btc,
  candle,
  eraEntry,
  eth,
  filter,
  leaderboard,
  minute,
  model,
  nextEra,
  periodRounds,
  prediction,
  prepare,
  round,
  roundFilter,
  schedule,
  settleRequest,
} from './store-samples.ts'
import { predictLease } from './store-workers.ts'

export function workerTests(context: StoreUnderTest): void {
  subscriptionTests(context)
  leaseTests(context)
  probeTests(context)
  closeTests(context)
}

/** Waits until a list has the given length; fails if it gets longer. */
async function untilLength(list: readonly unknown[], length: number): Promise<void> {
  await vi.waitFor(() => expect(list.length).toBeGreaterThanOrEqual(length), { timeout: 10_000, interval: 5 })
  expect(list).toHaveLength(length)
}

function subscriptionTests(context: StoreUnderTest): void {
  it('delivers inserted records in order, from any store', async () => {
    const heard: FeedRecord[] = []
    const other = await context.other()
    await context.store.appendRecords([candle(0)])
    await context.store.subscribeRecords((records) => heard.push(...records))
    const odd = candle(2, { text: 'ü\u0000 \u{1F600}', number: 0.1 + 0.2 }, eth)
    await other.appendRecords([candle(1), odd])
    await untilLength(heard, 2)
    await context.store.appendRecords([candle(1), candle(1, { close: 7 }), candle(3)])
    await untilLength(heard, 3)
    await other.appendRecords([candle(4)])
    await untilLength(heard, 4)
    expect(heard).toEqual([candle(1), odd, candle(3), candle(4)])
  })

  it('delivers many and large records', async () => {
    const heard: FeedRecord[] = []
    const other = await context.other()
    await context.store.subscribeRecords((records) => heard.push(...records))
    const batch = Array.from({ length: 300 }, (_, count) =>
      candle(count, count % 50 === 7 ? { text: 'ü'.repeat(20_000), count } : { close: count }),
    )
    await other.appendRecords(batch)
    await other.appendRecords([candle(300)])
    await untilLength(heard, 301)
    expect(heard).toEqual([...batch, candle(300)])
  })

  it('supports several listeners, each until it ends', async () => {
    const [first, second]: [FeedRecord[], FeedRecord[]] = [[], []]
    const endFirst = await context.store.subscribeRecords((records) => first.push(...records))
    await context.store.subscribeRecords((records) => second.push(...records))
    const other = await context.other()
    await other.appendRecords([candle(0)])
    await untilLength(first, 1)
    await endFirst()
    await endFirst()
    await other.appendRecords([candle(1)])
    await untilLength(second, 2)
    expect(first).toEqual([candle(0)])
  })
}

function leaseTests(context: StoreUnderTest): void {
  it('gives a lease to one holder at a time', async () => {
    const other = await context.other()
    const lease = await context.store.takeLease('predict')
    expect(lease).not.toBeNull()
    expect(await other.takeLease('predict')).toBeNull()
    expect(await context.store.takeLease('predict')).toBeNull()
    const different = await other.takeLease('predict 2')
    expect(different).not.toBeNull()
    await lease?.release()
    await lease?.release()
    const next = await other.takeLease('predict')
    expect(next).not.toBeNull()
    await lease?.release()
    expect(await context.store.takeLease('predict')).toBeNull()
  })

  it('reports the holder of a lease, its start, and its release', async () => {
    const other = await context.other()
    expect(await other.leaseState('predict')).toBeNull()
    const first = await context.store.takeLease('predict')
    const held = await other.leaseState('predict')
    expect(held).toMatchObject({ holder: expect.stringMatching(/./), takenAt: expect.any(Number) })
    expect(held?.heartbeatAt).toBeGreaterThanOrEqual(held?.takenAt ?? Number.POSITIVE_INFINITY)
    expect(held?.silentMs).toBeLessThan(5_000)
    expect(first?.takenFrom).toBeNull()
    await first?.release()
    expect(await other.leaseState('predict')).toMatchObject({ holder: null, takenAt: held?.takenAt })
    const second = await other.takeLease('predict')
    expect(second?.takenFrom).toBeNull()
    await first?.release()
    expect(await context.store.leaseState('predict')).toMatchObject({ holder: held?.holder })
  })

  it('permits writing rounds to the holder of the predict lease, and to stores that never took it', async () => {
    const { store } = context
    const lease = await store.takeLease(predictLease)
    await prepare(store)
    expect(await store.openRound(round(0))).toBe(true)
    expect(await store.openRound(round(0))).toBe(false)
    expect(await store.recordAnswers(round(0).id, minute(0), [prediction(round(0), 'a')])).toMatchObject({
      isFirst: true,
    })
    await lease?.release()
    const other = await context.other()
    expect(await other.openRound(round(1))).toBe(true)
  })

  it('refuses all writes of predicting after another store has taken over the lease', async () => {
    const { store } = context
    const lease = await store.takeLease(predictLease)
    await prepare(store)
    await store.openRound(round(0))
    await store.beginRetirements([{ modelId: 'b', reason: 'removed' }], minute(1))
    await lease?.release()
    const other = await context.other()
    expect(await other.takeLease(predictLease)).not.toBeNull()
    const rows = () => Promise.all([other.models(), other.schedules(), other.unansweredRounds(), other.roundCounts()])
    const before = await rows()
    for (const [verb, write] of Object.entries(writesOfPredicting(store))) {
      await expect(write(), verb).rejects.toMatchObject({ code: 'LEASE_HELD' })
    }
    expect(await rows()).toEqual(before)
    expect((await other.pipelineProgress(minute(1))).heartbeats).toEqual([])
    for (const write of Object.values(writesOfPredicting(other))) await write()
    expect(await other.models()).toHaveLength(3)
  })

  it('gives a lease to one of many concurrent requests', async () => {
    const other = await context.other()
    const asked = await Promise.all([context.store, other, context.store, other].map((store) => store.takeLease('x')))
    expect(asked.filter((lease) => lease !== null)).toHaveLength(1)
  })
}

/** All writes of a predict worker, in a possible order. */
function writesOfPredicting(store: Store): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    putSchedules: () => store.putSchedules([schedule()]),
    registerModels: () => store.registerModels([model('a', { name: 'renamed' }), model('z')], minute(2)),
    beginRetirements: () => store.beginRetirements([{ modelId: 'a', reason: 'removed' }], minute(2)),
    endRetirements: () => store.endRetirements(['b'], minute(2)),
    openRound: () => store.openRound(round(1)),
    noteRefusedInput: () => store.noteRefusedInput([round(0).scheduleKey], minute(1), 'x'),
    recordAnswers: () => store.recordAnswers(round(0).id, minute(0), [prediction(round(0), 'a')]),
    beat: () => store.beat({ worker: 'predict', nextWithinMs: 1_000, hasWorked: true, problem: null }),
  }
}

function probeTests(context: StoreUnderTest): void {
  it('reads concurrently with other calls, and rethrows exceptions of the read', async () => {
    const { store } = context
    await store.appendRecords([candle(0)])
    for (let look = 0; look < 3; look += 1) {
      const [states, counts] = await store.probe(5_000, (reads) =>
        Promise.all([reads.feedStates(), reads.roundCounts()]),
      )
      expect(states).toEqual(await store.feedStates())
      expect(counts).toEqual(await store.roundCounts())
    }
    const broken = new Error('a row that cannot be read')
    await expect(store.probe(5_000, () => Promise.reject(broken))).rejects.toBe(broken)
    expect(await store.probe(5_000, (reads) => reads.feedStates())).toHaveLength(1)
  })
}

function closeTests(context: StoreUnderTest): void {
  it('rejects every call once it is closed', async () => {
    const { store } = context
    await store.close()
    await store.close()
    const calls: Readonly<Record<Exclude<keyof Store, 'close'>, () => Promise<unknown>>> = {
      appendRecords: () => store.appendRecords([]),
      appendPast: () => store.appendPast([]),
      recordsBehind: () => store.recordsBehind(btc, { knownAt: 0, eventAt: 0 }, 1),
      addBackfillJob: () => store.addBackfillJob(backfillJob('x')),
      moveBackfillJob: () => store.moveBackfillJob('x', { to: 'running', error: null, at: minute(0) }),
      advanceBackfillJob: () => store.advanceBackfillJob('x', backfillPage(1)),
      backfillJobs: () => store.backfillJobs(),
      addApiKey: () => store.addApiKey({} as never),
      rotateApiKey: () => store.rotateApiKey('x', {} as never, minute(0)),
      revokeApiKeys: () => store.revokeApiKeys('x', minute(0)),
      apiKeys: () => store.apiKeys(),
      latestRecords: () => store.latestRecords(btc, 1, minute(0)),
      newestRecords: () => store.newestRecords(btc, 1, minute(1)),
      ensureFeeds: () => store.ensureFeeds([], minute(0)),
      putFeedStatus: () => store.putFeedStatus(btc, 'up', null, minute(0)),
      newestWatermark: () => store.newestWatermark(),
      pruneRecords: () => store.pruneRecords({ before: minute(0), keepMs: 0, limit: 1 }),
      pruneRounds: () => store.pruneRounds({ before: minute(0), windowMs: 0, limit: 1 }),
      prunePeriods: () => store.prunePeriods({ before: minute(0), windowMs: 0, limit: 1 }),
      enterEra: () => store.enterEra(eraEntry()),
      beginEra: () => store.beginEra(nextEra()),
      competition: () => store.competition(),
      eras: () => store.eras(),
      contractVersions: () => store.contractVersions(),
      putSchedules: () => store.putSchedules([]),
      registerModels: () => store.registerModels([], minute(0)),
      beginRetirements: () => store.beginRetirements([], minute(0)),
      endRetirements: () => store.endRetirements([], minute(0)),
      reassignModel: () => store.reassignModel('x', 'c', minute(0)),
      reassignments: () => store.reassignments(),
      openRound: () => store.openRound(round(0)),
      lastRoundTimes: () => store.lastRoundTimes(),
      recordAnswers: () => store.recordAnswers('x', minute(0), [prediction(round(0), 'a')]),
      noteRefusedInput: () => store.noteRefusedInput(['x'], minute(0), 'x'),
      unansweredRounds: () => store.unansweredRounds(),
      settleRounds: () => store.settleRounds(settleRequest(), () => ({ kind: 'wait' })),
      firstResolvableAt: () => store.firstResolvableAt(minute(0)),
      hasUnresolvedRounds: () => store.hasUnresolvedRounds(minute(0)),
      periodResults: () => store.periodResults(minute(0), minute(1)),
      closePeriod: () => store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10) }),
      snapshotsBetween: () => store.snapshotsBetween(minute(0), minute(1)),
      snapshotTotals: () => store.snapshotTotals(minute(0), minute(1), 'value'),
      latestMetrics: () => store.latestMetrics(minute(0), minute(1)),
      versionCounts: () => store.versionCounts(minute(0), minute(1)),
      periodsBetween: () => store.periodsBetween(0, 1),
      refusalsBetween: () => store.refusalsBetween(0, 1),
      lastPeriodEnd: () => store.lastPeriodEnd(),
      addCheckpoint: () => store.addCheckpoint({} as never),
      lastCheckpointEnd: () => store.lastCheckpointEnd(),
      acknowledgeCheckpoint: () => store.acknowledgeCheckpoint('x', { by: 'x', at: minute(0) }),
      moveCheckpoint: () =>
        store.moveCheckpoint('x', { to: 'PAID', at: minute(0), transactionId: null, isVerified: null, winners: [] }),
      subscribeRecords: () => store.subscribeRecords(() => undefined),
      subscribeChanges: () => store.subscribeChanges({ changed: () => undefined, missed: () => undefined }),
      takeLease: () => store.takeLease('x'),
      leaseState: () => store.leaseState('x'),
      probe: () => store.probe(1_000, (reads) => reads.feedStates()),
      beat: () => store.beat({ worker: 'x', nextWithinMs: 1, hasWorked: false, problem: null }),
      feedStates: () => store.feedStates(),
      models: () => store.models(),
      schedules: () => store.schedules(),
      latestLeaderboard: () => store.latestLeaderboard(),
      leaderboardVersion: () => store.leaderboardVersion(),
      predictionReports: () => store.predictionReports(filter()),
      predictionExports: () => store.predictionExports({ from: 0, to: 1, after: null, limit: 1 }),
      modelFailures: () => store.modelFailures({ modelId: 'x', since: minute(0), limit: 1 }),
      modelActivity: () => store.modelActivity(minute(0)),
      stageActivity: () => store.stageActivity(minute(0), minute(1)),
      tableSizes: () => store.tableSizes(),
      snapshotReports: () => store.snapshotReports(filter()),
      checkpoints: () => store.checkpoints({ limit: 1 }),
      fieldBuckets: () => store.fieldBuckets({ scope: btc, from: 0, to: 1, bucketMs: 1 }),
      periodEnds: () => store.periodEnds({ from: 0, to: 1, limit: 1 }),
      modelOutcomes: () => store.modelOutcomes({ modelId: 'x', from: 0, to: 1, cellMs: 1 }),
      modelPayouts: () => store.modelPayouts({ modelId: 'x', before: 0, limit: 1 }),
      roundSummaries: () => store.roundSummaries(roundFilter()),
      rankingsAt: () => store.rankingsAt([]),
      leaderboardsAt: () => store.leaderboardsAt([minute(0)], []),
      snapshotsAt: () => store.snapshotsAt([minute(0)], []),
      newestSnapshots: () => store.newestSnapshots(filter()),
      scoreSums: () => store.scoreSums({ ...filter(), cellMs: 1, field: 'x' }),
      roundReport: () => store.roundReport('x'),
      snapshot: () => store.snapshot('x'),
      checkpoint: () => store.checkpoint('x'),
      roundCounts: () => store.roundCounts(),
      runFacts: () => store.runFacts(),
      pipelineProgress: () => store.pipelineProgress(minute(0)),
      storeTime: () => store.storeTime(),
    }
    for (const [verb, call] of Object.entries(calls)) {
      await expect(call(), verb).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })
}
