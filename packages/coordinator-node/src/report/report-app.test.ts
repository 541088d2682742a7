import { describe, expect, it } from 'vitest'
import { CrunchError, type CrunchErrorCode } from '../domain/errors.ts'
import { minute, model, prepare, snapshot, start } from '../ports/store-samples.ts'
import { errorStatus } from './http/problem.ts'
import { type Row, reportUnderTest } from './report-app.testkit.ts'

const listPaths = [
  'leaderboard',
  'models',
  'models/activity',
  'predictions',
  'feeds',
  'snapshots',
  'checkpoints',
  'eras',
].map((name) => `/reports/${name}`)

interface ErrorBody {
  readonly detail: string
  readonly message: string
  readonly fieldErrors?: readonly { readonly property: string; readonly message: string }[]
}

describe('every list', () => {
  it.each(listPaths)('%s is an empty JSON list while nothing is stored', async (path) => {
    const { status, body, headers } = await reportUnderTest().get(path)
    expect([status, body]).toEqual([200, []])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  it.each(listPaths)('%s accepts the parameters of a chart, and refuses unused ones', async (path) => {
    const { get } = reportUnderTest()
    const query = '?projectIds=a,b&start=2026-02-01T00:00:00.000Z&end=2026-03-02T00:00:00Z'
    expect((await get(`${path}${query}`)).status).toBe(200)
    const { status, body } = await get<ErrorBody>(`${path}?projectId=a&unknown=1`)
    expect(status).toBe(422)
    expect(body.message).toContain(`projectId is not a parameter of ${path}; did you mean projectIds?`)
    expect(body.message).toContain(`unknown is not a parameter of ${path}; the parameters are `)
  })
})

describe('/info and /reports/models', () => {
  it('shows the identity of the node', async () => {
    expect((await reportUnderTest().get('/info')).body).toEqual({
      crunch_id: 'next-move',
      crunch_address: '',
      network: 'devnet',
      version: '1.2.3',
      era: { number: 2, began_at: '2026-03-01T10:30:00.000Z' },
      contract_version: { version: 3, hash: 'c0de', first_seen_at: '2026-03-01T10:40:00.000Z' },
      now: '2026-03-01T11:00:00.000Z',
    })
  })

  it('lists every model, ensembles included', async () => {
    const { store, get } = reportUnderTest()
    await store.registerModels([model('b'), model('__ensemble_main__')], minute(0))
    const { body } = await get('/reports/models')
    expect(body.map((row) => row.model_id)).toEqual(['__ensemble_main__', 'b'])
    expect(body[1]).toEqual({
      model_id: 'b',
      model_name: 'model b',
      cruncher_id: 'c-b',
      cruncher_name: 'C b',
      username: 'C b',
      role: 'participant',
      deployment_id: 'deployment-b',
      registered_at: '2026-03-01T10:00:00.000Z',
      retired_at: null,
      retirement_reason: null,
    })
  })
})

describe('bad parameters', () => {
  it.each([
    ['/reports/predictions?limit=0', 'limit', /limit must be a whole number from 1 to 20000/],
    ['/reports/predictions?limit=20001', 'limit', /20000/],
    ['/reports/predictions?limit=1e3', 'limit', /whole number/],
    ['/reports/predictions?limit=', 'limit', /whole number/],
    ['/reports/snapshots?limit=1001', 'limit', /from 1 to 1000/],
    ['/reports/snapshots?limit=-1', 'limit', /whole number/],
    ['/reports/checkpoints?limit=101', 'limit', /from 1 to 100/],
    ['/reports/checkpoints?status=pending', 'status', /must be one of PENDING, SUBMITTED, CLAIMABLE, PAID/],
    ['/reports/predictions?start=yesterday', 'start', /start must be a time such as .*: it is in no known format$/],
    ['/reports/predictions?end=2026-02-30', 'end', /: 2026-02 has 28 days$/],
    ['/reports/predictions?start=17723232000', 'start', /: a number of 11 digits is neither/],
    ['/reports/snapshots?since=2026-03-01T10:00:00 01:00', 'since', /%2B/],
    ['/reports/predictions?start=2026-03-02&end=2026-03-01', 'start', /must not be after the end/],
    ['/reports/snapshots?since=2026-03-02&until=2026-03-01', 'since', /must not be after the end/],
    [`/reports/snapshots?model_id=${'x'.repeat(201)}`, 'model_id', /at most 200 characters/],
    [`/reports/predictions?projectIds=${'x'.repeat(201)}`, 'projectIds', /at most 200 characters/],
    [`/reports/predictions?projectIds=${Array.from({ length: 1_001 }, (_, i) => i)}`, 'projectIds', /1000 ids/],
    ['/reports/leaderboard?include_ensembles=maybe', 'include_ensembles', /must be true or false/],
  ])('%s returns 422 with the name of the parameter', async (path, property, message) => {
    const { status, body, headers } = await reportUnderTest().get<ErrorBody>(path)
    expect(status).toBe(422)
    expect(body.message).toMatch(message)
    expect(body.detail).toBe(body.message)
    expect(body.fieldErrors?.map((error) => error.property)).toEqual([property])
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('errors', () => {
  const broken = (error: Error) => {
    const { store } = reportUnderTest()
    return reportUnderTest({ reads: { ...store, models: () => Promise.reject(error) } })
  }

  it('hides internal errors and logs them', async () => {
    const { get, errors } = broken(new Error('password is hunter2'))
    const { status, body, headers } = await get<ErrorBody>('/reports/models')
    const text = 'The node failed to answer. Its log says why.'
    expect([status, body]).toEqual([500, expect.objectContaining({ detail: text, message: text })])
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(errors).toEqual([
      {
        message: 'request failed',
        fields: expect.objectContaining({ error: 'password is hunter2', path: '/reports/models', method: 'GET' }),
      },
    ])
  })

  it('returns 503 without host names while the database is unreachable', async () => {
    const { get } = broken(new CrunchError('STORE_UNAVAILABLE', 'db.internal:5432 refused the connection'))
    const { status, body } = await get<ErrorBody>('/reports/models')
    expect([status, body.message]).toEqual([503, 'A service that the node needs is unavailable. Try again later.'])
  })

  it('returns errors about the request', async () => {
    const { get, errors } = broken(new CrunchError('NOT_FOUND', 'there is no model "x"'))
    expect(await get<ErrorBody>('/reports/models')).toMatchObject({
      status: 404,
      body: { detail: 'there is no model "x"', message: 'there is no model "x"' },
    })
    expect(errors).toEqual([])
  })

  it('maps each error code to one status', () => {
    const codes: readonly CrunchErrorCode[] = [
      'BAD_REQUEST',
      'NOT_FOUND',
      'LEASE_HELD',
      'STORE_UNAVAILABLE',
      'STORE_CORRUPT',
    ]
    expect(codes.map(errorStatus)).toEqual([400, 404, 409, 503, 500])
  })

  it('returns 404 as JSON for an unknown path', async () => {
    const { status, body, headers } = await reportUnderTest().get<ErrorBody>('/reports/nothing')
    expect([status, body.message]).toEqual([
      404,
      'There is no GET /reports/nothing. The paths are listed at /openapi.json.',
    ])
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })

  it('refuses a body that is too large', async () => {
    const { app } = reportUnderTest()
    const response = await app.request('/reports/models', { method: 'POST', body: 'x'.repeat(70_000) })
    expect([response.status, await response.json()]).toEqual([
      413,
      expect.objectContaining({ detail: 'The body is larger than 65536 bytes.', status: 413 }),
    ])
  })

  it('fails instead of returning a number that JSON cannot represent', async () => {
    const { store, get, errors } = reportUnderTest()
    await prepare(store)
    const overflow = snapshot('a', 10, { sums: { value: { sum: Number.POSITIVE_INFINITY, count: 1 } } })
    const app = reportUnderTest({ reads: { ...store, snapshotReports: async () => [overflow] } })
    expect((await app.get('/reports/snapshots')).status).toBe(500)
    expect(app.errors[0]?.fields?.error).toMatch(/\$\[0\]\.result_summary\.value is Infinity/)
    expect([(await get('/reports/snapshots')).status, errors]).toEqual([200, []])
  })
})

describe('other origins', () => {
  it('may read every response', async () => {
    for (const path of [...listPaths, '/healthz', '/info']) {
      expect((await reportUnderTest().get<unknown>(path)).headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  it('may send preflight requests', async () => {
    const { app } = reportUnderTest()
    const response = await app.request('/reports/checkpoints/CKP_1/confirm', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(response.ok).toBe(true)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(response.headers.get('access-control-allow-headers')).toContain('content-type')
  })
})

describe('/reports/feeds', () => {
  it('shows the progress of each series, with zoned times', async () => {
    const { store, get } = reportUnderTest()
    const scope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
    await store.ensureFeeds([scope], start)
    const [before] = (await get('/reports/feeds')).body
    expect(before).toEqual({
      ...scope,
      record_count: 0,
      missing_count: null,
      oldest_ts: null,
      newest_ts: null,
      watermark_ts: null,
      watermark_updated_at: null,
      revision_count: 0,
      status: 'down',
      status_reason: 'no data yet',
      status_since: '2026-03-01T10:00:00.000Z',
    })
    await store.appendRecords([
      { ...scope, eventAt: start, knownAt: minute(1), receivedAt: minute(1) + 5, values: { close: 1 } },
    ])
    const [after] = (await get('/reports/feeds')).body as [Row]
    expect(after).toMatchObject({
      record_count: 1,
      missing_count: 0,
      oldest_ts: '2026-03-01T10:00:00.000Z',
      newest_ts: '2026-03-01T10:00:00.000Z',
      watermark_ts: '2026-03-01T10:01:00.000Z',
    })
    expect(after.watermark_updated_at).toMatch(/Z$/)
  })

  it('counts missing candles; other series have no grid', async () => {
    const { store, get } = reportUnderTest()
    const scope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
    const records = ['candle', 'tick'].flatMap((kind) =>
      [0, 1, 4, 6].map((count) => ({
        ...{ ...scope, kind, eventAt: minute(count), knownAt: minute(count + 1) },
        ...{ receivedAt: minute(count + 1), values: { close: 1 } },
      })),
    )
    await store.appendRecords(records)
    const rows = (await get('/reports/feeds')).body as readonly Row[]
    expect(rows.map(({ kind, missing_count }) => [kind, missing_count])).toEqual([
      ['candle', 3],
      ['tick', null],
    ])
  })

  it('marks a series that is not followed any more as missing in the contract', async () => {
    const { store, get } = reportUnderTest()
    const scope = { source: 'binance', subject: 'SOLUSDT', kind: 'candle', granularity: '1m' }
    await store.putFeedStatus(scope, 'up', null, start)
    expect((await get('/reports/feeds')).body).toMatchObject([
      { subject: 'SOLUSDT', status: 'down', status_reason: 'the contract has no such feed' },
    ])
  })
})
