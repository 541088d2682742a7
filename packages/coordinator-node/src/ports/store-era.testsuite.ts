import { expect, it } from 'vitest'
import type { StoreUnderTest } from './store.testsuite.ts'
import type { EnteredEra } from './store-eras.ts'
import {
  answeredRound,
  checkpoint,
  eraEntry,
  filter,
  leaderboard,
  minute,
  nextEra,
  periodRounds,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
} from './store-samples.ts'

export function eraTests(context: StoreUnderTest): void {
  enterTests(context)
  beginTests(context)
  fenceTests(context)
}

const endedEra = expect.objectContaining({ code: 'ERA_ENDED' })

function enterTests(context: StoreUnderTest): void {
  it('has no competition, era or version before the first contract', async () => {
    const { store } = context
    expect(await store.competition()).toBeNull()
    expect(await store.eras()).toEqual([])
    expect(await store.contractVersions()).toEqual([])
  })

  it('begins the first era with the first contract, and recognizes it later', async () => {
    const { store } = context
    const era = { number: 1, structure: { value: 'one' }, fingerprint: 'one', beganAt: minute(0) }
    const version = { number: 1, hash: 'code', era: 1, firstSeenAt: minute(0) }
    const first = await store.enterEra(eraEntry())
    expect(first).toEqual({ kind: 'entered', era, version, isFirstEra: true, isNewVersion: true })
    const again = await (await context.other()).enterEra(eraEntry({ at: minute(9) }))
    expect(again).toEqual({ kind: 'entered', era, version, isFirstEra: false, isNewVersion: false })
    expect(await store.competition()).toEqual({ crunchId: 'crunch', name: 'next-move' })
    expect(await store.eras()).toEqual([era])
    expect(await store.contractVersions()).toEqual([version])
  })

  it('gives processes that enter concurrently the same era and version', async () => {
    const stores = [context.store, await context.other(), await context.other(), await context.other()]
    const entered = await Promise.all(stores.map((store) => store.enterEra(eraEntry())))
    expect(entered.map((result) => result.kind === 'entered' && result.isFirstEra).filter(Boolean)).toHaveLength(1)
    expect(new Set(entered.map((result) => result.kind === 'entered' && result.version.number))).toEqual(new Set([1]))
    expect(await context.store.eras()).toHaveLength(1)
  })

  it('numbers versions, and recognizes an earlier one', async () => {
    const { store } = context
    const numbers: unknown[] = []
    for (const codeHash of ['one', 'two', 'one', 'three', 'two']) {
      const result = await store.enterEra(eraEntry({ codeHash }))
      numbers.push(result.kind === 'entered' && result.version.number)
    }
    expect(numbers).toEqual([1, 2, 1, 3, 2])
  })

  it('updates the structure of the current era with a former fingerprint once, but not of an ended era', async () => {
    const { store } = context
    await store.enterEra(eraEntry())
    const today = { structure: { value: 'one', organizer: 'host' }, fingerprint: 'today' }
    const entered = await store.enterEra(eraEntry({ ...today, formerFingerprint: 'one', at: minute(9) }))
    const era = { number: 1, ...today, beganAt: minute(0) }
    expect(entered).toMatchObject({ kind: 'entered', era, isFirstEra: false })
    expect(await (await context.other()).eras()).toEqual([era])
    const other = { structure: { value: 'one', organizer: 'guest' }, fingerprint: 'other', formerFingerprint: 'one' }
    expect(await store.enterEra(eraEntry(other))).toEqual({ kind: 'changed', era })
    await store.beginEra(nextEra())
    const back = await store.enterEra(eraEntry({ fingerprint: 'three', formerFingerprint: 'today' }))
    expect(back).toMatchObject({ kind: 'changed', era: { number: 2 } })
  })

  it('writes nothing for another competition or another structure', async () => {
    const { store } = context
    await store.enterEra(eraEntry())
    const refused: readonly EnteredEra[] = [
      await store.enterEra(eraEntry({ competition: { crunchId: 'other', name: 'next-move' }, codeHash: 'x' })),
      await store.enterEra(eraEntry({ competition: { crunchId: 'crunch', name: 'other' }, codeHash: 'x' })),
      await store.enterEra(eraEntry({ fingerprint: 'two', structure: { value: 'two' }, codeHash: 'x' })),
    ]
    expect(refused.map(({ kind }) => kind)).toEqual(['other-competition', 'other-competition', 'changed'])
    expect(refused[0]).toMatchObject({ competition: { crunchId: 'crunch', name: 'next-move' } })
    expect(refused[2]).toMatchObject({ era: { number: 1, structure: { value: 'one' } } })
    expect(await store.contractVersions()).toHaveLength(1)
    expect(await store.eras()).toHaveLength(1)
  })
}

function beginTests(context: StoreUnderTest): void {
  it('begins the next era once, and only after the current one', async () => {
    const { store } = context
    expect(await store.beginEra(nextEra())).toBeNull()
    await store.enterEra(eraEntry())
    expect(await store.beginEra(nextEra({ after: 2 }))).toBeNull()
    const era = { number: 2, structure: { value: 'two' }, fingerprint: 'two', beganAt: minute(60) }
    const begun = await Promise.all([store.beginEra(nextEra()), (await context.other()).beginEra(nextEra())])
    expect(begun.filter((result) => result !== null)).toEqual([{ era, voidRoundCount: 0 }])
    expect(await store.eras()).toEqual([expect.objectContaining({ number: 1 }), era])
    expect(await store.enterEra(eraEntry())).toMatchObject({ kind: 'changed', era })
  })

  it('makes open rounds void and their answers failed with blame on the coordinator', async () => {
    const { store } = context
    await prepare(store)
    await store.enterEra(eraEntry())
    await answeredRound(store, round(0))
    await store.settleRounds(settleRequest({ now: minute(90), limit: 1 }), (due) => resolveAll(due))
    await answeredRound(store, round(1))
    await store.openRound(round(2))
    expect(await store.beginEra(nextEra())).toMatchObject({ voidRoundCount: 2 })
    const reason = 'the contract changed (era 2 began 2026-03-01T11:00:00.000Z) before the truth was known'
    const reports = await store.predictionReports(filter())
    expect(reports.map(({ prediction }) => [prediction.roundId, prediction.status])).toEqual([
      [round(0).id, 'SCORED'],
      [round(0).id, 'SCORED'],
      [round(1).id, 'FAILED'],
      [round(1).id, 'FAILED'],
    ])
    expect(reports.at(-1)?.prediction).toMatchObject({
      reason: 'contract_changed',
      blame: 'coordinator',
      detail: reason,
    })
    expect(await store.roundCounts()).toMatchObject({ unresolvedCount: 0, voidCount: 2 })
    expect(await store.unansweredRounds()).toEqual([])
    expect(await store.hasUnresolvedRounds(minute(999))).toBe(false)
    expect(await store.recordAnswers(round(2).id, minute(61), [])).toMatchObject({ isFirst: false })
    const claimed = await store.settleRounds(settleRequest({ now: minute(999) }), (due) => resolveAll(due))
    expect(claimed).toMatchObject({ resolvedCount: 0, voidCount: 0, waitingCount: 0 })
  })

  it('begins after everything that belongs to the ended era', async () => {
    const { store } = context
    await prepare(store)
    await store.enterEra(eraEntry())
    await answeredRound(store, round(0))
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due))
    expect(await store.beginEra(nextEra({ at: minute(-90) }))).toMatchObject({ era: { beganAt: minute(5) + 1 } })
    await store.openRound(round(20, { era: 2 }))
    expect(await store.beginEra(nextEra({ after: 2, at: minute(9) }))).toMatchObject({
      era: { beganAt: minute(20) + 1 },
    })
    await store.closePeriod({ rounds: periodRounds(30), snapshots: [], leaderboard: leaderboard(30, { era: 3 }) })
    expect(await store.beginEra(nextEra({ after: 3, at: minute(9) }))).toMatchObject({ era: { beganAt: minute(30) } })
    expect(await store.beginEra(nextEra({ after: 4, at: minute(9) }))).toMatchObject({
      era: { beganAt: minute(30) + 1 },
    })
  })
}

function fenceTests(context: StoreUnderTest): void {
  it('lets only the current era open rounds', async () => {
    const { store } = context
    await prepare(store)
    await expect(store.openRound(round(0, { era: 2 }))).rejects.toEqual(endedEra)
    await store.enterEra(eraEntry())
    expect(await store.openRound(round(0))).toBe(true)
    await store.beginEra(nextEra())
    await expect(store.openRound(round(70))).rejects.toEqual(endedEra)
    expect(await store.openRound(round(70, { era: 2 }))).toBe(true)
    expect(await store.unansweredRounds()).toEqual([round(70, { era: 2 })])
  })

  it('closes periods of an ended era up to its end', async () => {
    const { store } = context
    await prepare(store)
    await store.enterEra(eraEntry())
    await store.beginEra(nextEra({ at: minute(60) }))
    const board = (end: number, era: number) => ({
      rounds: periodRounds(end),
      snapshots: [snapshot('a', end, { era })],
      leaderboard: leaderboard(end, { era }),
    })
    await expect(store.closePeriod(board(70, 1))).rejects.toEqual(endedEra)
    expect(await store.snapshotReports(filter())).toEqual([])
    expect(await store.closePeriod(board(60, 1))).toBe(true)
    expect(await store.closePeriod(board(70, 2))).toBe(true)
    expect(await store.latestLeaderboard()).toMatchObject({ era: 2 })
    await expect(store.addCheckpoint(checkpoint(61, { era: 1 }))).rejects.toEqual(endedEra)
    await expect(store.addCheckpoint(checkpoint(90, { era: 3 }))).rejects.toEqual(endedEra)
    expect(await store.addCheckpoint(checkpoint(60, { era: 1 }))).toBe(true)
    expect(await store.addCheckpoint(checkpoint(90, { era: 2 }))).toBe(true)
    expect((await store.checkpoints({ limit: 9 })).map(({ era }) => era)).toEqual([2, 1])
  })

  it('stores which version of the code computed a score', async () => {
    const { store } = context
    await prepare(store)
    await answeredRound(store, round(0))
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => resolveAll(due, { contractVersion: 7 }))
    expect((await store.periodResults(minute(0), minute(99))).map(({ contractVersion }) => contractVersion)).toEqual([
      7, 7,
    ])
    expect((await store.predictionReports(filter()))[0]?.score).toMatchObject({ contractVersion: 7 })
  })
}
