import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { replaysNow } from '../report-api/open-report-client.ts'
import { ReportClient } from '../report-api/report-client.ts'
import { claimWorkspace, devMode, releaseWorkspace, replayMode } from '../supervisor/supervisor-record.ts'
import type { Workspace } from '../workspace.ts'
import { describeNode, isDatabaseDown, readNode } from './node-state.ts'

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A report API that answers `/healthz` with `health`, and other paths with `answers` or never. */
async function apiWith(
  status: number,
  health: object,
  answers: Readonly<Record<string, unknown>> = {},
): Promise<ReportClient> {
  const server = createServer(({ url = '' }, response) => {
    if (url !== '/healthz' && answers[url] === undefined) return
    response.statusCode = url === '/healthz' ? status : 200
    response.end(JSON.stringify(url === '/healthz' ? health : answers[url]))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return new ReportClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

it('shows at once why the database cannot be used, while nothing else answers', async () => {
  const reason = 'the database is unreachable: it did not answer within 1 s'
  const client = await apiWith(503, { status: 'degraded', reasons: [reason], detail: reason, message: reason })
  const startedAt = performance.now()
  expect(describeNode(await readNode(client))).toEqual([
    'health: degraded',
    `  ${reason}`,
    'API: nothing else can be read until the database answers',
  ])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

it('names the place of a database address that does not work', async () => {
  const client = await apiWith(503, { status: 'degraded', reasons: [], detail: 'the database is unreachable' })
  const node = await readNode(client)
  expect(isDatabaseDown(node)).toBe(true)
  expect(describeNode(node, { databasePlace: '/srv/node/.local.env:3: DATABASE_URL' })).toContain(
    '  the address of the database is set here: /srv/node/.local.env:3: DATABASE_URL',
  )
})

it('does not report workers that the operator starts as a failure, and shows what they say once they run', async () => {
  const absent = await readNode(new ReportClient('http://127.0.0.1:1'))
  expect(isDatabaseDown(absent)).toBe(false)
  expect(describeNode(absent)).toEqual([expect.stringMatching(/^API: .*does not answer/)])
  expect(describeNode(absent, { isDev: true })).toEqual([
    expect.stringMatching(/^Start the workers yourself, with the commands that crunch deploy dev prints\./),
  ])
  const present = await readNode(await apiWith(200, { status: 'ok', reasons: [], standing_still: [] }))
  expect(describeNode(present, { isDev: true })[0]).toBe('health: ok')
})

it('distinguishes a replay from live data and from crunch deploy dev', async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'crunch-modes-'))
  endings.push(() => rm(stateDirectory, { recursive: true }))
  const workspace = { stateDirectory } as Workspace
  expect(await replaysNow(workspace)).toBe(false)
  for (const mode of ['live', devMode, replayMode(['a.csv'])]) {
    const record = await claimWorkspace(stateDirectory, { apiUrl: '', modelsUrl: null, mode })
    expect(await replaysNow(workspace)).toBe(mode === 'replay of a.csv')
    await releaseWorkspace(stateDirectory, record)
  }
})

it('shows health and the process that opens rounds even if the rest does not answer', async () => {
  const lease = { holder: 'host-b, process 12', taken_at: '2026-03-01T10:00:00.000Z', silent_ms: 1_400 }
  const client = await apiWith(200, { status: 'ok', reasons: [], standing_still: [], predict_lease: lease })
  expect(describeNode(await readNode(client))).toEqual([
    'health: ok',
    'rounds are opened by: host-b, process 12 since 2026-03-01T10:00:00.000Z, last heard 1 s ago',
    expect.stringMatching(/^API: .*the report API does not answer/),
  ])
})

it('shows era and code version of the node', async () => {
  const lists = ['feeds', 'models', 'leaderboard', 'checkpoints?limit=100'].map((path) => [`/reports/${path}`, []])
  const info = {
    era: { number: 2, began_at: '2026-03-01T10:00:00.000Z' },
    contract_version: { version: 3, hash: '1f0e9a7b'.repeat(8), first_seen_at: '2026-03-02T10:00:00.000Z' },
  }
  const lines = async (info: object) =>
    describeNode(await readNode(await apiWith(200, { status: 'ok' }, { ...Object.fromEntries(lists), '/info': info })))
  expect(await lines(info)).toContain(
    'era 2 since 2026-03-01T10:00:00.000Z, code version 3 (1f0e9a7b) since 2026-03-02T10:00:00.000Z',
  )
  // A node of an earlier version.
  expect((await lines({})).join()).not.toContain('era')
})

it('sends the key of the deployment, read for each request', async () => {
  const sent: (string | undefined)[] = []
  const server = createServer(({ headers }, response) => {
    sent.push(headers.authorization)
    response.end('[]')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  let key: string | undefined
  const client = new ReportClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => key)
  await client.models()
  key = 'secret'
  await client.models()
  expect(sent).toEqual([undefined, 'Bearer secret'])
})
