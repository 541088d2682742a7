import { expect, it } from 'vitest'
import { backfillJob, minute } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

it('shows the jobs with their progress, newest first, and filters them by status', async () => {
  const { store, get } = reportUnderTest()
  await store.addBackfillJob(backfillJob('old'))
  await store.addBackfillJob(backfillJob('new', 5, { status: 'running', cursor: minute(4) }))
  const ids = async (query: string) => (await get(`/reports/backfill/jobs${query}`)).body.map(({ id }) => id)
  expect([await ids(''), await ids('?status=running'), await ids('?status=')]).toEqual([
    ['new', 'old'],
    ['new'],
    ['new', 'old'],
  ])
  expect((await get('/reports/backfill/jobs?status=RUNNING')).status).toBe(422)
  expect((await get<unknown>('/reports/backfill/jobs/new')).body).toMatchObject({ status: 'running', progress_pct: 40 })
  expect(await get<unknown>('/reports/backfill/jobs/none')).toMatchObject({
    status: 404,
    body: { message: 'Backfill job not found: there is no none; the newest ones are new, old.' },
  })
})
