import { beforeEach, describe, expect, it } from 'vitest'
import {
  btc,
  candle,
  checkpoint,
  eth,
  leaderboard,
  minute,
  model,
  periodRounds,
  prediction,
  prepare,
  round,
  snapshot,
} from '../ports/store-samples.ts'
import { type ReportUnderTest, type Row, reportUnderTest } from './report-app.testkit.ts'

const modelIds = ['a', 'b', 'c']
const entries = modelIds.map((modelId, index) => ({
  ...(checkpoint(60).entries[0] as NonNullable<ReturnType<typeof checkpoint>['entries'][number]>),
  ...{ modelId, rank: index + 1, rewardFrac64: index === 0 ? 1_000_000_000 : 0 },
}))

let under: ReportUnderTest
beforeEach(async () => {
  under = reportUnderTest()
  const { store } = under
  await prepare(store, modelIds)
  await store.registerModels([model('__ensemble_main__')], minute(0))
  await store.ensureFeeds([btc, eth], minute(0))
  await store.appendRecords([
    candle(0),
    candle(1),
    candle(2),
    candle(1, { close: 5 }, eth),
    candle(2, { close: 5 }, eth),
  ])
  for (const count of [0, 1, 2]) {
    const asked = round(count)
    await store.openRound(asked)
    const missing = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model' } as const
    const answers = modelIds.map((id) => prediction(asked, id, id === 'a' ? missing : {}))
    await store.recordAnswers(asked.id, asked.performedAt + 90, answers)
  }
  for (const end of [10, 20]) {
    const snapshots = [...modelIds, '__ensemble_main__'].sort().map((id) => snapshot(id, end))
    await store.closePeriod({ snapshots, rounds: periodRounds(end), leaderboard: leaderboard(end) })
  }
  for (const end of [60, 120, 180]) await store.addCheckpoint(checkpoint(end, { entries }))
})

/** A page, and the query of the next one. */
async function page(path: string): Promise<{ readonly rows: readonly Row[]; readonly next: string | undefined }> {
  const { status, body, headers } = await under.get(path)
  expect([path, status, body]).toEqual([path, 200, expect.any(Array)])
  return { rows: body, next: /^<(\?[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] }
}

/** Every list with pages: whether the next page has older rows although each is oldest first, and the rows of one page of 1. */
const lists = [
  { path: '/reports/predictions?start=2026-03-01', count: 9, isOldestFirst: true },
  { path: '/reports/snapshots?projectIds=a,b', count: 4, isOldestFirst: true },
  { path: '/reports/snapshots?until=2026-03-01T10:15:00Z', count: 3, isOldestFirst: true },
  { path: '/reports/ensemble/history?start=2026-03-01', count: 2, isOldestFirst: true },
  { path: '/reports/models/a/failures?start=2026-03-01T10:00:00Z', count: 3, isOldestFirst: true },
  { path: '/reports/models?limit=1000', count: 4 },
  { path: '/reports/models/activity?limit=1000', count: 4 },
  { path: '/reports/feeds/tail?source=binance', count: 5 },
  { path: '/reports/feeds/tail?subject=BTCUSDT', count: 3 },
  { path: '/reports/checkpoints?status=PENDING', count: 3 },
  { path: '/reports/checkpoints/rewards?projectIds=a', count: 3, isOldestFirst: true },
] as const

describe.each(lists)('$path', (list) => {
  const { path, count } = list
  const isOldestFirst = 'isOldestFirst' in list
  const withLimit = (limit: number) => `${path.replace(/([?&])limit=\d+/, '$1limit=1000')}&limit=${limit}`

  it.each([1, 2])('has every row once in pages of %i', async (limit) => {
    const { rows: all, next } = await page(path)
    expect([all.length, next]).toEqual([count, undefined])
    const rows: Row[] = []
    let query: string | undefined = new URL(withLimit(limit), 'http://node').search
    const route = path.split('?')[0]
    let pageCount = 0
    while (query !== undefined && pageCount < 20) {
      const found = await page(`${route}${query}`)
      if (isOldestFirst) rows.unshift(...found.rows)
      else rows.push(...found.rows)
      query = found.next
      pageCount += 1
    }
    expect([rows, pageCount]).toEqual([all, Math.ceil(count / limit)])
  })

  it('refuses a cursor that is malformed or of another list', async () => {
    const { next = '' } = await page(withLimit(1))
    const cursor = new URLSearchParams(next).get('cursor') ?? ''
    const written = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const own = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { path: string; key: unknown[] }
    const wrong = [
      ...['', 'x', '%', '0', cursor.slice(1), `${cursor}AAAA`, 'a'.repeat(9_000)],
      ...[[], null, 'key', own.key, { ...own, key: [] }, { ...own, key: null }, { ...own, path: '/reports/other' }].map(
        written,
      ),
      written({ ...own, key: own.key.map(() => ({})) }),
      written({ ...own, key: own.key.map((part) => (typeof part === 'number' ? 0.5 : '')) }),
    ]
    for (const text of wrong) {
      const { status, body } = await under.get<Row>(`${path}&cursor=${encodeURIComponent(text)}`)
      expect([text, status, body.fieldErrors]).toEqual([
        text,
        400,
        [{ property: 'cursor', message: expect.stringMatching(/^is not a cursor of this route/) }],
      ])
    }
  })
})

it('shows pages of other origins where the next one is', async () => {
  const { headers } = await under.get('/reports/models?limit=1')
  expect(headers.get('access-control-expose-headers')?.split(',')).toContain('Link')
})

it('keeps the cursor of one model from another', async () => {
  const { next } = await page('/reports/models/a/failures?start=2026-03-01T10:00:00Z&limit=1')
  expect((await under.get(`/reports/models/a/failures${next}`)).status).toBe(200)
  expect((await under.get(`/reports/models/b/failures${next}`)).status).toBe(400)
})

it('bounds the entries of all payouts of an answer', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => model(`m${index}`))
  await under.store.registerModels(many, minute(0))
  for (const path of ['/reports/checkpoints', '/reports/checkpoints/rewards']) {
    const { rows, next } = await page(`${path}?limit=100`)
    expect(new Set(rows.map((row) => row.checkpoint_id ?? row.id)).size).toBe(2)
    expect((await page(`${path}${next}`)).rows.map((row) => row.checkpoint_id ?? row.id)).toContain(checkpoint(60).id)
  }
})

describe('since and until', () => {
  it.each([
    '/reports/predictions',
    '/reports/snapshots',
    '/reports/ensemble/history',
    '/reports/models/global',
    '/reports/models/metrics',
    '/reports/models/params',
    '/reports/models/summary',
    '/reports/models/a/failures',
    '/reports/checkpoints/rewards',
  ])('mean start and end of %s, and come before them', async (path) => {
    const [from, to] = ['2026-03-01T10:01:00Z', '2026-03-01T11:30:00Z']
    const ask = async (query: string) => (await under.get(`${path}?${query}`)).body
    const expected = await ask(`start=${from}&end=${to}`)
    expect(await ask(`since=${from}&until=${to}`)).toEqual(expected)
    expect(await ask(`since=${from}&until=${to}&start=2026-02-28&end=2026-02-28`)).toEqual(expected)
    const { status, body } = await under.get<Row>(`${path}?since=${to}&until=${from}`)
    expect([status, body.fieldErrors]).toMatchObject([422, [{ property: 'since' }]])
    expect(await under.get<Row>(`${path}?start=${to}&end=${from}`)).toMatchObject({
      status: 422,
      body: { fieldErrors: [{ property: 'start' }] },
    })
  })
})
