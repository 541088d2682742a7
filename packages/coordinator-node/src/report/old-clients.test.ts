import { beforeAll, describe, expect, it } from 'vitest'
import { type ReportReplay, replayReport } from '../../test/report-replay.ts'
import { createMemoryStore } from '../adapters/store/memory/memory-store.ts'
import { reportingLimits } from '../adapters/store/postgres/session/connection-limits.ts'
import type { ReportReads } from '../ports/reads/report-reads.ts'
import { minute, model, periodRounds } from '../ports/store-samples.ts'
import { fromHere, type Row, reportUnderTest } from './report-app.testkit.ts'
import { allRoutes } from './routes/all-routes.ts'
import { confirmCheckpoint } from './routes/checkpoints/payout-routes.ts'
import type { Column, Widget } from './routes/schema/web-schema.ts'

// What the existing web pages, command lines and scripts rely on: one test a demand.

let replay: ReportReplay
beforeAll(async () => {
  replay = await replayReport()
})

interface WebSchema {
  readonly leaderboard_columns: readonly Column[]
  readonly metrics_widgets: readonly Widget[]
}

const schemaOf = async (app: Pick<ReportReplay, 'get'> = replay) => (await app.get<WebSchema>('/reports/schema')).body
const rowsOf = async (path: string) => (await replay.get<Row[]>(path)).body
const ids = (rows: readonly Row[]) => [...new Set(rows.map((row) => row.model_id))]
const charts = 'projectIds=oracle,trend&start=2026-03-01T09:00:00.000Z&end=2026-03-01T12:00:00.000Z'
const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('old clients', () => {
  it('C1: the schema has columns and widgets while the database is empty', async () => {
    const { leaderboard_columns, metrics_widgets } = await schemaOf(reportUnderTest())
    expect([leaderboard_columns.length > 0, metrics_widgets.length > 0]).toEqual([true, true])
  })

  it('C2: every column has a unique id, a known type and a known format', async () => {
    const { leaderboard_columns: columns } = await schemaOf()
    expect(new Set(columns.map(({ id }) => id)).size).toBe(columns.length)
    for (const { type, property, displayName, format, order } of columns) {
      expect(['PROJECT', 'USERNAME', 'VALUE', 'REWARD_RANK']).toContain(type)
      expect([property, displayName].includes('')).toBe(false)
      expect(format ?? 'number').toMatch(/^(percentage|integer|compact|number|decimal-\d+)$/)
      expect(Number.isInteger(order) && order >= (type === 'USERNAME' ? -10 : 0)).toBe(true)
    }
  })

  it('C3: exactly one column is the model, shown by its name', async () => {
    const { leaderboard_columns: columns } = await schemaOf()
    expect(columns.filter(({ type }) => type === 'PROJECT').map(({ property }) => property)).toEqual(['model_name'])
  })

  it('C4: every column is a field of every row of the leaderboard', async () => {
    const properties = (await schemaOf()).leaderboard_columns.map(({ property }) => property)
    expect(properties).toEqual(expect.arrayContaining(['username', 'score_recent', 'score_long', 'ic', 'hit_rate']))
    for (const row of await rowsOf('/reports/leaderboard')) {
      for (const property of properties) expect(row).toHaveProperty([property])
    }
  })

  it('C5: the widgets have unique ids; the three of the page itself show the routes that it expects', async () => {
    const widgets = (await schemaOf()).metrics_widgets
    expect(new Set(widgets.map(({ id }) => id)).size).toBe(widgets.length)
    const pathOf = (wanted: number) => widgets.find(({ id }) => id === wanted)?.endpointUrl
    expect([1, 2, 3].map(pathOf)).toEqual(['/reports/models/global', '/reports/predictions', '/reports/models/params'])
    expect(widgets.filter(({ id }) => id > 3).every(({ id }) => id >= 100)).toBe(true)
    expect(widgets.map(({ order }) => order)).toEqual(widgets.map(({ order }) => order).toSorted((a, b) => a - b))
  })

  it('C6: each widget gets rows with every field that it reads', async () => {
    for (const { endpointUrl, nativeConfiguration } of (await schemaOf()).metrics_widgets) {
      const { xAxis, yAxis, groupByProperty = 'model_id', alertConfig, filterConfig = [] } = nativeConfiguration
      const rows = await rowsOf(`${endpointUrl}?${charts}`)
      expect([endpointUrl, ids(rows).toSorted()]).toEqual([endpointUrl, ['oracle', 'trend']])
      const alerts = alertConfig === undefined ? [] : [alertConfig.field, alertConfig.reasonField]
      const names = [xAxis.name, groupByProperty, ...alerts, ...filterConfig.map(({ property }) => property)]
      for (const row of rows) {
        for (const name of ['model_id', ...names]) expect(row).toHaveProperty([name])
        for (const { name } of yAxis.series) expect([null, 'number']).toContain(row[name] && typeof row[name])
      }
    }
  })

  it('C7: the x values of widgets have no zone, and are points over time', async () => {
    for (const { endpointUrl, nativeConfiguration } of (await schemaOf()).metrics_widgets) {
      const rows = (await rowsOf(`${endpointUrl}?${charts}`)).filter(({ model_id }) => model_id === 'oracle')
      const times = rows.map((row) => Date.parse(`${row[nativeConfiguration.xAxis.name]}Z`))
      expect(times.every(Number.isFinite)).toBe(true)
      expect(times).toEqual(times.toSorted((one, other) => one - other))
      expect(new Set(times).size).toBeGreaterThan(2)
    }
  })

  it('C8: models are named in one list or repeatedly; unknown ones are ignored; none means all', async () => {
    const path = '/reports/models/global'
    expect(ids(await rowsOf(`${path}?projectIds=oracle,trend`))).toEqual(['oracle', 'trend'])
    expect(ids(await rowsOf(`${path}?projectIds=oracle&projectIds=trend,nobody`))).toEqual(['oracle', 'trend'])
    expect(ids(await rowsOf(`${path}?projectIds=`))).toEqual(ids(await rowsOf(path)))
    expect(await rowsOf(`${path}?projectIds=nobody`)).toEqual([])
  })

  it('C9: rows that a chart groups carry what it filters by', async () => {
    const [row] = await rowsOf(`/reports/models/params?${charts}`)
    expect(row).toMatchObject({ param: 'BTCUSDT-300-60', subject: 'BTCUSDT', asset: 'BTCUSDT', horizon: 300, step: 60 })
  })

  it('C10: a prediction that waits for its truth is no alert', async () => {
    const rows = await rowsOf('/reports/predictions')
    const waiting = rows.filter(({ status }) => status === 'PENDING')
    expect(waiting.length).toBeGreaterThan(0)
    expect(waiting.some((row) => row.score_failed === true || row.score_failed_reason !== null)).toBe(false)
    expect(rows.some((row) => row.model_id === 'broken' && row.score_failed === true)).toBe(true)
  })

  it('C11: the models have names, and every model of the board is among them', async () => {
    const models = await rowsOf('/reports/models')
    for (const row of models) {
      for (const name of ['model_id', 'model_name', 'cruncher_name', 'cruncher_id', 'deployment_id']) {
        expect(typeof row[name]).toBe('string')
      }
    }
    expect(ids(models)).toEqual(
      expect.arrayContaining(ids(await rowsOf('/reports/leaderboard?include_ensembles=true'))),
    )
  })

  it('C12: the leaderboard is empty or in the order of ranks, with names and status', async () => {
    expect((await reportUnderTest().get('/reports/leaderboard')).body).toEqual([])
    const rows = await rowsOf('/reports/leaderboard')
    const ranks = rows.map(({ rank }) => (rank as number | null) ?? Number.POSITIVE_INFINITY)
    expect(ranks).toEqual(ranks.toSorted((one, other) => one - other))
    expect(rows[0]).toMatchObject({ model_id: 'oracle', status: 'active', username: 'C oracle', rank: 1 })
  })

  it('C13: a feed has its nine fields, with zoned times', async () => {
    const rows = await rowsOf('/reports/feeds')
    const row = rows.find(({ subject }) => subject === 'BTCUSDT') as Row
    expect(row).toMatchObject({ source: 'binance', kind: 'candle', granularity: '1m', record_count: 95 })
    for (const name of ['oldest_ts', 'newest_ts', 'watermark_ts', 'watermark_updated_at'])
      expect(row[name]).toMatch(zoned)
    expect((await reportUnderTest().get('/reports/feeds')).body).toEqual([])
  })

  it('C14: the tail of a feed is newest first and limited', async () => {
    const path = '/reports/feeds/tail?source=binance&subject=BTCUSDT&kind=candle&granularity=1m'
    const rows = await rowsOf(`${path}&limit=3`)
    expect(rows.map(({ ts_event }) => ts_event)).toEqual(
      [34, 33, 32].map((minutes) => `2026-03-01T11:${minutes}:00.000Z`),
    )
    expect(rows[0]).toMatchObject({ values: { close: expect.any(Number) }, meta: {}, ts_ingested: expect.any(String) })
    expect(await rowsOf(path)).toHaveLength(20)
    for (const limit of [0, 201]) expect((await replay.get(`${path}&limit=${limit}`)).status).toBe(422)
    expect(await rowsOf('/reports/feeds/tail?source=kraken')).toEqual([])
  })

  it('C15: a checkpoint has its emission and its ranking', async () => {
    const rows = (await replay.get<CheckpointRow[]>('/reports/checkpoints?status=PENDING')).body
    expect(rows).toHaveLength(3)
    const ends = rows.map(({ period_end }) => period_end)
    expect(ends).toEqual(ends.toSorted().reverse())
    for (const row of rows) {
      expect([row.period_start, row.period_end].every((time) => zoned.test(time))).toBe(true)
      const [entry] = row.entries
      expect(Object.keys(entry ?? {})).toEqual(
        expect.arrayContaining(['crunch', 'cruncher_rewards', 'compute_provider_rewards', 'data_provider_rewards']),
      )
      expect(entry?.cruncher_rewards.reduce((sum, { reward_pct }) => sum + reward_pct, 0)).toBe(1_000_000_000)
      expect(row.meta).toMatchObject({ model_count: row.meta.ranking.length, snapshot_count: expect.any(Number) })
    }
  })

  it('C15: positions, not indexes on chain, name the models that are paid', async () => {
    const { body } = await replay.get<PaidRow>('/reports/checkpoints/latest')
    for (const { cruncher_index, onchain_cruncher_index, reward_pct } of body.entries[0].cruncher_rewards) {
      expect(body.meta.ranking[cruncher_index]).toMatchObject({ reward_pct, model_id: expect.any(String) })
      expect(onchain_cruncher_index).toEqual(expect.any(Number))
    }
  })

  it('C16: a checkpoint is confirmed and becomes claimable, once, also when the page repeats itself', async () => {
    const { app } = await replayReport()
    const send = (method: string, path: string, body: unknown) =>
      app.request(
        `/reports/checkpoints/CKP_20260301_113000.000/${path}`,
        {
          method,
          body: JSON.stringify(body),
          headers: { ...fromHere.init.headers, 'content-type': 'application/json' },
        },
        fromHere.env,
      )
    const tx_hash = confirmCheckpoint.example.body.tx_hash
    for (const _ of [1, 2]) {
      const confirmed = await send('POST', 'confirm', { tx_hash })
      expect([confirmed.status, await confirmed.json()]).toEqual([
        200,
        expect.objectContaining({ status: 'SUBMITTED', tx_hash, submitted_at: expect.stringMatching(zoned) }),
      ])
    }
    for (const _ of [1, 2])
      expect(await (await send('PATCH', 'status', { status: 'CLAIMABLE' })).json()).toMatchObject({
        status: 'CLAIMABLE',
      })
    const wrong: readonly (readonly [string, string, unknown, number])[] = [
      ['POST', 'confirm', { tx_hash: 'x' }, 400],
      ['POST', 'confirm', {}, 422],
      ['POST', 'confirm', { tx_hash: tx_hash.replace('99e', '99f') }, 409],
      ['PATCH', 'status', { status: 'SUBMITTED' }, 409],
      ['PATCH', 'status', { status: 'nothing' }, 422],
    ]
    for (const [method, path, body, status] of wrong) {
      const answer = await send(method, path, body)
      expect([path, answer.status]).toEqual([path, status])
      expect(await answer.json()).toMatchObject({ detail: expect.any(String), message: expect.any(String) })
    }
  })

  it('C17: every answer is JSON', async () => {
    const { app } = reportUnderTest()
    for (const path of [
      '/healthz',
      '/info',
      '/reports/models',
      '/reports/checkpoints/latest',
      '/openapi.json',
      '/nothing',
    ]) {
      const response = await app.request(path)
      expect(response.headers.get('content-type')).toMatch(/^application\/(problem\+)?json/)
      expect(response.status).not.toBe(204)
    }
  })

  it('C18: errors carry detail, message and the fields', async () => {
    const { body } = await replay.get<Row>('/reports/snapshots?limit=x')
    const text = 'limit must be a whole number from 1 to 1000'
    expect(body).toMatchObject({ status: 422, detail: text, message: text, fieldErrors: [{ property: 'limit' }] })
  })

  it('C19: charts of 1,000 models over 30 days are bounded, and a slow database is given up before the page gives up', async () => {
    // The page waits for 15 s.
    expect(reportingLimits.callMs).toBeLessThan(15_000)
    const ends = Array.from({ length: 30 * 144 }, (_, count) => minute(10 * count))
    const asked: [string, number][] = []
    const note = (call: [string, number]) => {
      asked.push(call)
      return []
    }
    const reads: Partial<ReportReads> = {
      models: async () =>
        Array.from({ length: 1_000 }, (_, count) => ({
          ...model(`m${count}`),
          registeredAt: minute(0),
          retirements: [],
        })),
      periodsBetween: async () => ends.map((periodEnd) => ({ ...periodRounds(0), periodEnd })),
      rankingsAt: async (at) => note(['rankings', at.length]),
      leaderboardsAt: async (at) => note(['boards', at.length]),
      snapshotsAt: async (at) => note(['snapshots', at.length]),
      scoreSums: async ({ from, to, cellMs }) => note(['cells', (to - from) / cellMs]),
      predictionReports: async ({ limit }) => note(['predictions', limit]),
      checkpoints: async ({ limit }) => note(['checkpoints', limit]),
    }
    const store = createMemoryStore()
    const { get } = reportUnderTest({ reads: { ...store, ...reads } })
    const month = `start=2026-03-01T10:00:00.000Z&end=2026-03-31T10:00:00.000Z&projectIds=`
    for (const { endpointUrl } of (await schemaOf()).metrics_widgets) {
      expect([endpointUrl, (await get(`${endpointUrl}?${month}`)).status]).toEqual([endpointUrl, 200])
    }
    const most: Record<string, number> = { predictions: 20_000, checkpoints: 100, cells: 62 }
    // 50 points for each of the models; the cells of the longest window before the first point are needed, too.
    expect(asked.filter(([what, count]) => count > (most[what] ?? 50))).toEqual([])
    expect(asked.map(([what]) => what)).toEqual(
      expect.arrayContaining(['snapshots', 'cells', 'predictions', 'checkpoints']),
    )
  })

  it('C20: pages of all sites may read every answer, and errors; a preflight needs no key', async () => {
    const { app } = reportUnderTest({ access: { legacyKey: 'k', readsNeedKey: true } })
    const origin = { ...fromHere.init.headers, origin: 'https://hub.example' }
    for (const { definition } of allRoutes) {
      const path = definition.example.path
      const preflight = { ...origin, 'access-control-request-method': definition.method.toUpperCase() }
      const answers = [
        await app.request(path, { method: 'OPTIONS', headers: preflight }, fromHere.env),
        await app.request(path, { method: definition.method.toUpperCase(), headers: origin }, fromHere.env),
      ]
      expect([path, answers[0]?.status]).toEqual([path, 204])
      const isPublic = definition.tier === 'public'
      expect([path, isPublic || answers[1]?.status === 401]).toEqual([path, true])
      for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  it('C22: the page may ask for the board with parameters of its own', async () => {
    expect(ids(await rowsOf('/reports/leaderboard?include_ensembles=true'))).toContain('__ensemble_main__')
    expect(ids(await rowsOf('/reports/leaderboard'))).not.toContain('__ensemble_main__')
  })
})

interface PaidRow {
  readonly entries: readonly [
    {
      readonly cruncher_rewards: readonly {
        readonly cruncher_index: number
        readonly onchain_cruncher_index: number | null
        readonly reward_pct: number
      }[]
    },
  ]
  readonly meta: { readonly ranking: readonly Row[] }
}

interface CheckpointRow {
  readonly period_start: string
  readonly period_end: string
  readonly entries: readonly { readonly cruncher_rewards: readonly { readonly reward_pct: number }[] }[]
  readonly meta: { readonly ranking: readonly unknown[] }
}

describe('answers to rounds without a truth', () => {
  it('are hidden, and shown once the truth is known', async () => {
    const rows = await rowsOf('/reports/predictions?projectIds=flat')
    const [pending, scored] = ['PENDING', 'SCORED'].map((wanted) => rows.filter(({ status }) => status === wanted))
    expect([pending?.length, scored?.length].every((length) => (length ?? 0) > 0)).toBe(true)
    for (const row of pending ?? []) {
      expect(row).toMatchObject({ output: null, truth: null, hidden_until: expect.stringMatching(zoned) })
    }
    for (const row of scored ?? []) {
      expect(row).toMatchObject({ output: { value: 0.1 }, truth: { return: expect.any(Number) }, hidden_until: null })
    }
  })
})

describe('series', () => {
  it('are down-sampled evenly, the newest point included', async () => {
    const points = async (path: string) =>
      (await rowsOf(`${path}projectIds=oracle&start=2026-03-01T10:00Z&end=2026-03-01T11:30Z`)).map(
        ({ performed_at }) => performed_at,
      )
    for (const route of ['global', 'metrics', 'params']) {
      const all = await points(`/reports/models/${route}?`)
      const some = await points(`/reports/models/${route}?points=3&`)
      expect(all.length).toBeGreaterThan(6)
      expect(some.length).toBeLessThanOrEqual(4)
      expect(some.at(-1)).toBe(all.at(-1))
    }
  })

  it('by question agree with the board, of which there is one question', async () => {
    const path = 'projectIds=oracle&start=2026-03-01T10:00Z&end=2026-03-01T11:30Z'
    const [byBoard, byQuestion] = await Promise.all(
      ['global', 'params'].map((name) => rowsOf(`/reports/models/${name}?${path}`)),
    )
    const of = (rows: readonly Row[] = []) => rows.map(({ performed_at, score_recent }) => [performed_at, score_recent])
    expect(of(byQuestion).map(([at]) => at)).toEqual(of(byBoard).map(([at]) => at))
    for (const [index, [, value]] of of(byBoard).entries())
      expect(of(byQuestion)[index]?.[1]).toBeCloseTo(value as number)
  })
})
