import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHere, type Row } from '../src/report/report-app.testkit.ts'
import { confirmCheckpoint } from '../src/report/routes/checkpoints/payout-routes.ts'
import type { Column, Widget } from '../src/report/routes/schema/web-schema.ts'
import { type WebConfigFile, webConfigFolder } from '../src/report/web-config/web-config.ts'
import { replayWeather, type WeatherReplay } from './weather-replay.ts'

// Plays the calls of the web application of the Python engine against a replay of the weather competition: what its two forms, the
// one of a single node and the one of the platform, ask for, in their order, and every field that they read.

const dayMs = 86_400_000

let replay: WeatherReplay
/** The calls since the start of a test, without their parameters. */
let calls: string[] = []

beforeAll(async () => {
  replay = await replayWeather()
})
afterAll(() => replay?.workspace.remove())

/** As the pages call it: without a key, and every body is JSON. */
async function call<Body = Row[]>(path: string, method = 'GET', body?: object): Promise<Body> {
  calls.push(`${method} ${path.split('?')[0]}`)
  const sent = body && {
    body: JSON.stringify(body),
    headers: { ...fromHere.init.headers, 'content-type': 'application/json' },
  }
  const answer = await replay.app.request(path, { ...fromHere.init, method, ...sent }, fromHere.env)
  expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
    path,
    200,
    expect.stringMatching(/^application\/json/),
  ])
  return answer.json() as Promise<Body>
}

async function configured<Content>(file: WebConfigFile): Promise<Content> {
  return JSON.parse(await readFile(join(replay.workspace.nodeFolder, webConfigFolder, file), 'utf8')) as Content
}

interface PageSettings {
  readonly endpoints: { readonly leaderboard: string; readonly models: string }
}

interface PageSetup extends PageSettings {
  readonly columns: readonly string[]
  readonly widgets: readonly Chart[]
}

/** What the page reads in the rows of a widget. */
interface Chart {
  readonly endpointUrl: string
  readonly x: string
  readonly numbers: readonly string[]
  readonly fields: readonly string[]
  readonly alert?: readonly [field: string, reason: string] | undefined
}

const windows = ['score_recent', 'score_steady', 'score_anchor']
const question = ['param', 'subject', 'asset', 'horizon', 'step']

/** The page's own widgets, which have the ids 1 to 3 and take the places of ours without a file. */
const ownCharts: Readonly<Record<number, Chart>> = {
  1: { endpointUrl: '/reports/models/global', x: 'performed_at', numbers: windows, fields: [] },
  2: {
    ...{ endpointUrl: '/reports/predictions', x: 'performed_at', numbers: ['score_value'] },
    fields: [...question, 'score_success', 'score_failed', 'score_failed_reason', 'scored_at'],
    alert: ['score_failed', 'score_failed_reason'],
  },
  3: { endpointUrl: '/reports/models/params', x: 'performed_at', numbers: windows, fields: question },
}

function chartOf({ endpointUrl, nativeConfiguration }: Widget): Chart {
  const { xAxis, yAxis, groupByProperty, alertConfig, filterConfig = [] } = nativeConfiguration
  const alert = alertConfig && ([alertConfig.field, alertConfig.reasonField] as const)
  const group = groupByProperty === undefined ? [] : [groupByProperty]
  return {
    ...{ endpointUrl, alert, x: xAxis.name, numbers: yAxis.series.map(({ name }) => name) },
    fields: [...group, ...(alert ?? []), ...filterConfig.map(({ property }) => property)],
  }
}

const setups: readonly (readonly [string, () => Promise<PageSetup>])[] = [
  [
    'with the files of the workspace',
    async () => ({
      ...(await configured<PageSettings>('global-settings.json')),
      columns: (await configured<Column[]>('leaderboard-columns.json')).map(({ property }) => property),
      widgets: (await configured<Widget[]>('metrics-widgets.json')).map(chartOf),
    }),
  ],
  [
    'without files',
    async () => {
      const schema = await call<{ leaderboard_columns: Column[]; metrics_widgets: Widget[] }>('/reports/schema')
      return {
        endpoints: { leaderboard: '/reports/leaderboard', models: '/reports/models' },
        columns: ['username', 'model_name', ...windows, ...schema.leaderboard_columns.map(({ property }) => property)],
        widgets: schema.metrics_widgets.map((widget) => ownCharts[widget.id] ?? chartOf(widget)),
      }
    },
  ],
]

function expectFields(where: string, rows: readonly Row[], names: readonly string[]): void {
  for (const row of rows) expect([where, names.filter((name) => !Object.hasOwn(row, name))]).toEqual([where, []])
}

/** A chart's request and what it reads; returns the rows. */
async function openChart(chart: Chart, modelIds: readonly string[], days: number): Promise<Row[]> {
  const { endpointUrl, x, numbers, fields, alert } = chart
  const range = new URLSearchParams({
    projectIds: modelIds.join(','),
    start: new Date(replay.now - days * dayMs).toISOString(),
    end: new Date(replay.now).toISOString(),
  })
  const rows = await call(`${endpointUrl}?${range}`)
  expectFields(endpointUrl, rows, ['model_id', x, ...numbers, ...fields])
  for (const row of rows) {
    expect(modelIds).toContain(row.model_id)
    expect(Number.isFinite(Date.parse(`${row[x]}Z`))).toBe(true)
    for (const name of numbers)
      expect([name, row[name] === null || typeof row[name] === 'number']).toEqual([name, true])
  }
  // All of these models answer every round.
  if (alert) expect(rows.filter((row) => row[alert[0]] === true && Boolean(row[alert[1]]))).toEqual([])
  return rows
}

describe.each(setups)('the page of a node, %s', (_, setUp) => {
  test('finds every field that it reads', async () => {
    calls = []
    const { endpoints, columns, widgets } = await setUp()
    const feeds = await call('/reports/feeds')
    const board = await call(endpoints.leaderboard)
    const listed = await call<{ model_id: string; model_name: string; cruncher_name: string }[]>(endpoints.models)
    expect(board.map(({ rank }) => rank).filter((rank) => rank !== null)).toEqual([1, 2, 3, 4])
    expectFields('leaderboard', board, ['model_id', ...columns])
    for (const name of windows) expect(board.every((row) => typeof row[name] === 'number')).toBe(true)
    // The page replaces the names of the board by those of the models.
    for (const { model_id } of board) {
      expect(listed.find((model) => model.model_id === model_id)).toMatchObject({
        ...{ model_name: expect.any(String), cruncher_name: expect.any(String) },
      })
    }
    const ids = listed.map(({ model_id }) => model_id)
    for (const chart of widgets) {
      const rows = await openChart(chart, ids, 30)
      expect([chart.endpointUrl, new Set(rows.map(({ model_id }) => model_id)).size]).toEqual([chart.endpointUrl, 5])
    }
    const feed = ['source', 'subject', 'kind', 'granularity']
    expect(feeds).toHaveLength(2)
    expectFields('feeds', feeds, [
      ...feed,
      'record_count',
      'oldest_ts',
      'newest_ts',
      'watermark_ts',
      'watermark_updated_at',
    ])
    for (const row of feeds) {
      const asked = new URLSearchParams(
        Object.fromEntries([...feed.map((name) => [name, String(row[name])]), ['limit', '20']]),
      )
      const tail = await call(`/reports/feeds/tail?${asked}`)
      expect([tail.length, tail[0]?.ts_event]).toEqual([20, row.newest_ts])
      expectFields('tail', tail, [...feed, 'ts_event', 'ts_ingested', 'values', 'meta'])
    }
    const asked = [
      '/reports/feeds',
      '/reports/leaderboard',
      '/reports/models',
      ...widgets.map(({ endpointUrl }) => endpointUrl),
    ]
    expect(calls.filter((one) => one !== 'GET /reports/schema')).toEqual(
      [...asked, '/reports/feeds/tail', '/reports/feeds/tail'].map((path) => `GET ${path}`),
    )
  })
})

interface Settled {
  readonly id: string
  readonly status: string
  readonly period_end: string
  readonly tx_hash: string | null
  readonly entries: readonly { readonly cruncher_rewards: readonly { cruncher_index: number; reward_pct: number }[] }[]
  readonly meta: { readonly model_count: number; readonly snapshot_count: number; readonly ranking: readonly Row[] }
}

test('the page of the platform finds every field that it reads, and settles a checkpoint', async () => {
  const [listed, board] = [await call('/reports/models'), await call('/reports/leaderboard')]
  expectFields('models', listed, ['model_id', 'model_name', 'cruncher_name'])
  // Here it merges no names.
  for (const row of board) expect([typeof row.model_name, typeof row.cruncher_name]).toEqual(['string', 'string'])
  for (const widget of await configured<Widget[]>('metrics-widgets.json')) await openChart(chartOf(widget), ['1'], 2)

  const [newest] = await call<Settled[]>('/reports/checkpoints?status=PENDING')
  expect(await call<Settled[]>('/reports/checkpoints')).toEqual([newest])
  if (newest === undefined) throw new Error('no checkpoint')
  const { id, entries, meta, period_end } = newest
  expect([meta.model_count, meta.snapshot_count]).toEqual([5, expect.any(Number)])
  const prizes = (entries[0]?.cruncher_rewards ?? []).map(({ cruncher_index, reward_pct }) => ({
    ...{
      prizeId: `${id}-${meta.ranking[cruncher_index]?.model_id}`,
      timestamp: new Date(period_end).getTime() / 1_000,
    },
    ...{ model: meta.ranking[cruncher_index]?.model_id, prize: Math.round((1_000_000 * reward_pct) / 1e9) },
  }))
  expect(prizes.map(({ model, prize }) => [model, prize])).toEqual([
    ['1', 625_000],
    ['2', 375_000],
  ])
  expect(prizes.every(({ timestamp }) => Number.isInteger(timestamp))).toBe(true)
  const { tx_hash } = confirmCheckpoint.example.body
  const path = `/reports/checkpoints/${id}`
  expect(await call(`${path}/confirm`, 'POST', { tx_hash })).toMatchObject({ status: 'SUBMITTED', tx_hash })
  expect(await call(`${path}/status`, 'PATCH', { status: 'CLAIMABLE' })).toMatchObject({ status: 'CLAIMABLE', tx_hash })
  expect(await call('/reports/checkpoints?status=PENDING')).toEqual([])
})
