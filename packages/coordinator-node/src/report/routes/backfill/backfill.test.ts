import { describe, expect, it } from 'vitest'
import { backfillJob, minute } from '../../../ports/store-samples.ts'
import { fromHere, reportUnderTest } from '../../report-app.testkit.ts'
import { requestBackfill } from './request-backfill.ts'

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

describe('a request for the past of a series', () => {
  const asked = requestBackfill.example.body
  const opened = () => {
    const { store } = reportUnderTest()
    const backfills = { ...store, directory: '/node/data/backfill', sources: ['binance'] }
    const under = reportUnderTest({ reads: store, backfills })
    const post = async (path: string, body: unknown = {}) => {
      const headers = { ...fromHere.init.headers, 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await under.app.request(path, init, fromHere.env)
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    return { ...under, store, post }
  }

  it('stores a job for the feed-data worker, one at a time for each series', async () => {
    const { post, store } = opened()
    const answers = await Promise.all([post('/reports/backfill', asked), post('/reports/backfill', asked)])
    const { body: job } = answers.find(({ status }) => status === 201) as { body: Record<string, unknown> }
    expect(answers.find(({ status }) => status === 409)?.body.detail).toBe(
      `Backfill job ${job.id} is already pending: wait for it, or cancel it with POST /reports/backfill/jobs/${job.id}/cancel.`,
    )
    expect(job).toMatchObject({
      status: 'pending',
      run_by: 'node',
      target: 'parquet',
      start_ts: '2026-02-01T00:00:00.000Z',
    })
    expect(await store.backfillJobs()).toMatchObject([{ id: job.id, directory: '/node/data/backfill', runBy: 'node' }])
    const other = { ...asked, subject: 'BTCUSDT', target: 'tables' }
    expect((await post('/reports/backfill', other)).status).toBe(201)
    expect(await store.backfillJobs()).toContainEqual(expect.objectContaining({ target: 'tables', directory: null }))
  })

  it.each([
    ['start', { end: asked.start }, 'must be before end'],
    ['end', { end: '2027-01-01T00:00:00Z' }, 'must not be in the future'],
    ['start', { start: 'yesterday' }, 'must be a time such as'],
    ['source', { source: 'binanse' }, 'must be a source of the contract (binance)'],
    ['target', { subject: '..', target: 'tables' }, 'must be parquet, since the tables hold only'],
    ['subject', { subject: 'a\u0000' }, 'must not contain control characters'],
    ['', { force: true }, 'force'],
  ])('refuses %s: %j', async (property, change, message) => {
    const { post, store } = opened()
    const { status, body } = await post('/reports/backfill', { ...asked, ...change })
    expect([status, body.fieldErrors]).toEqual([422, [{ property, message: expect.stringContaining(message) }]])
    expect(await store.backfillJobs()).toEqual([])
  })

  it('is cancelled once, however often that is asked, unless the job has ended', async () => {
    const { post, store } = opened()
    await store.addBackfillJob(backfillJob('running', 0, { status: 'running' }))
    await store.addBackfillJob(backfillJob('done', 0, { status: 'completed' }))
    for (const _ of [1, 2]) {
      const { status, body } = await post('/reports/backfill/jobs/running/cancel')
      expect([status, body]).toMatchObject([200, { id: 'running', status: 'cancelled' }])
    }
    const done = await post('/reports/backfill/jobs/done/cancel')
    expect([done.status, done.body.detail]).toEqual([
      409,
      'Backfill job done is already completed: there is nothing to cancel.',
    ])
    expect((await post('/reports/backfill/jobs/none/cancel')).status).toBe(404)
  })

  it('is refused where nothing is fetched, and from anyone but the organizer', async () => {
    const { app } = reportUnderTest()
    const init = { method: 'POST', body: JSON.stringify(asked), headers: { 'content-type': 'application/json' } }
    const here = { ...init, headers: { ...init.headers, ...fromHere.init.headers } }
    expect((await app.request('/reports/backfill', here, fromHere.env)).status).toBe(404)
    expect((await app.request('/reports/backfill', init)).status).toBe(403)
  })
})
