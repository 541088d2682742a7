import type { TestDatabase } from '@crunch/embedded-postgres/test-database'
import { afterAll, afterEach, expect, it } from 'vitest'
import { createMigratedDatabase } from '../../../../test/migrated-database.ts'
import type { Store } from '../../../ports/store.ts'
import { filter, model, prediction, round, schedule } from '../../../ports/store-samples.ts'
import { openPostgresStore } from './postgres-store.ts'

let database: Promise<TestDatabase> | undefined
const opened: Store[] = []

afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())))

afterAll(async () => {
  await (await database)?.drop()
})

async function openStore(isLive: boolean): Promise<Store> {
  database ??= createMigratedDatabase()
  const store = await openPostgresStore({ url: (await database).url, isLive })
  opened.push(store)
  await store.putSchedules([schedule()])
  await store.registerModels([model('a')], 0)
  return store
}

/** A round performed `lengthMs` ago, whose truth can be known five minutes after that. */
const ago = (lengthMs: number) => round(0, { performedAt: Date.now() - lengthMs })

async function answer(store: Store, asked: ReturnType<typeof round>, answeredAt: number) {
  await store.openRound(asked)
  const { lateCount } = await store.recordAnswers(asked.id, answeredAt, [prediction(asked, 'a')])
  const reports = await store.predictionReports(filter({ to: Number.MAX_SAFE_INTEGER }))
  const { status, reason, blame } = reports.find((report) => report.prediction.roundId === asked.id)!.prediction
  return { lateCount, row: [status, reason, blame] }
}

const minutes = (count: number) => count * 60_000

it('a live node whose clock is an hour behind stores no late answer, because the database clock counts', async () => {
  const asked = ago(minutes(6))
  const byOwnClock = Date.now() - minutes(60)
  expect(await answer(await openStore(true), asked, byOwnClock)).toEqual({
    lateCount: 1,
    row: ['ABSENT', 'stored_late', 'coordinator'],
  })
})

it('a live node whose clock is ahead of the database stores no late answer, because the later clock counts', async () => {
  const asked = ago(minutes(2))
  expect(await answer(await openStore(true), asked, asked.resolvableAt)).toMatchObject({ lateCount: 1 })
})

it('a live node stores timely answers', async () => {
  const asked = ago(minutes(3))
  expect(await answer(await openStore(true), asked, Date.now())).toEqual({ lateCount: 0, row: ['PENDING', null, null] })
})

it('a replay uses only its own time', async () => {
  const asked = ago(minutes(60))
  expect(await answer(await openStore(false), asked, asked.performedAt)).toMatchObject({ lateCount: 0 })
})
