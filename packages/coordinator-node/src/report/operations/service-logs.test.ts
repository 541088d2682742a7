import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Viewer } from '../access/viewer.ts'
import { fromHere, reportUnderTest } from '../report-app.testkit.ts'
import { serveServiceLogs } from './service-logs.ts'

interface Body {
  readonly services: readonly string[]
  readonly lines: readonly {
    readonly service: string
    readonly time: string | null
    readonly level: string | null
    readonly text: string
  }[]
}

const admin: Viewer = { role: 'admin', by: 'key' }
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'crunch-service-logs-'))
})

afterAll(() => rm(root, { recursive: true, force: true }))

const at = (second: number) => Date.UTC(2026, 2, 1, 10, 0, second)
const entry = (second: number, level: number, msg: string, fields = {}) =>
  `${JSON.stringify({ level, time: at(second), pid: 7, msg, ...fields })}\n`

let folders = 0
async function folderWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  folders += 1
  const folder = join(root, String(folders))
  await mkdir(folder)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

async function ask(
  logDirectory: string,
  query: Readonly<Record<string, unknown>> = {},
  viewer: Viewer = admin,
): Promise<Body> {
  return (await reportUnderTest({ logDirectory }).as(viewer, serveServiceLogs, {
    query: { limit: 200, ...query },
  })) as Body
}

const texts = ({ lines }: Body) => lines.map(({ service, text }) => `${service}: ${text}`)

it('merges the services, newest first, and filters by service, level and text', async () => {
  const folder = await folderWith({
    'predict.log': `${entry(1, 20, 'asked')}${entry(4, 60, 'Lost', { model: 'a', err: { stack: 'Error: x\n at y' } })}`,
    'score.log': `${entry(2, 30, 'settled')}at plain.ts:3\n\n${entry(3, 40, 'slow \u001b[31m')}${entry(5, 30, 'half').trim()}`,
    'score.1.log': entry(0, 50, 'rotated'),
    'supervisor.out': 'hidden\n',
  })
  await mkdir(join(folder, 'models'))
  await writeFile(join(folder, 'models', 'a.log'), entry(0, 30, 'a model'))
  await symlink(join(folder, 'supervisor.out'), join(folder, 'link.log'))
  const all = await ask(folder)
  expect(all).toEqual({
    services: ['predict', 'score'],
    lines: [
      {
        ...{ service: 'predict', time: '2026-03-01T10:00:04.000Z', level: 'error' },
        text: 'Lost model=a\n    Error: x\n     at y',
      },
      { service: 'score', time: '2026-03-01T10:00:03.000Z', level: 'warn', text: 'slow \\u001b[31m' },
      { service: 'score', time: null, level: null, text: 'at plain.ts:3' },
      { service: 'score', time: '2026-03-01T10:00:02.000Z', level: 'info', text: 'settled' },
      { service: 'predict', time: '2026-03-01T10:00:01.000Z', level: 'debug', text: 'asked' },
    ],
  })
  expect(texts(await ask(folder, { service: 'predict', limit: 1 }))).toEqual([expect.stringMatching(/^predict: Lost/)])
  expect((await ask(folder, { level: 'warn' })).lines.map(({ level }) => level)).toEqual(['error', 'warn'])
  expect(texts(await ask(folder, { q: 'SETTLED' }))).toEqual(['score: settled'])
  expect((await ask(folder, { q: 'model=A' })).lines).toHaveLength(1)
  for (const service of ['link', '../score', 'models/a', 'supervisor.out', 'score.1']) {
    await expect(ask(folder, { service })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `No service "${service}" has a log here. Choose of predict, score.`,
    })
  }
})

it('reads only the end of a long file, and cuts long lines', async () => {
  const filler = entry(1, 30, 'x'.repeat(1_000))
  const folder = await folderWith({
    'predict.log': `${entry(0, 30, 'needle at the start')}${filler.repeat(10_000)}${entry(2, 30, 'needle at the end')}`,
    'score.log': entry(3, 30, 'y'.repeat(1_000_000)),
    'report.log': `no line break ${'z'.repeat(2_000_000)}`,
  })
  const { lines } = await ask(folder, { limit: 1 })
  expect(lines[0]?.text).toBe(`${'y'.repeat(4_000)}… (996000 more characters)`)
  expect(texts(await ask(folder, { q: 'needle' }))).toEqual(['predict: needle at the end'])
  expect((await ask(folder, { service: 'report' })).lines).toEqual([])
  const whole = await ask(folder, { service: 'predict', limit: 1_000_000 })
  expect(whole.lines.length).toBeGreaterThan(900)
  expect(whole.lines.length).toBeLessThan(1_048_576 / 1_000)
})

it('shows binary files harmlessly', async () => {
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 37) % 256))
  const { lines } = await ask(await folderWith({ 'score.log': bytes, 'predict.log': '{"time":1e99,"msg":1}\n' }))
  expect(lines.length).toBeGreaterThan(5)
  expect(lines.every(({ time, level }) => time === null && level === null)).toBe(true)
  expect(lines.some(({ text }) => /[\p{Cc}\p{Cs}]/u.test(text.replaceAll('\t', '')))).toBe(false)
})

it('is for admins, also on a node without keys', async () => {
  const logDirectory = await folderWith({ 'score.log': entry(0, 30, 'secret words') })
  for (const [viewer, status] of [
    [{ role: 'public' }, 401],
    [{ role: 'read' }, 403],
    [{ role: 'participant', cruncherId: 'alice' }, 403],
  ] as const) {
    await expect(ask(logDirectory, {}, viewer)).rejects.toMatchObject({
      status,
      message: expect.stringContaining('This needs a key with the scope admin'),
    })
  }
  const under = reportUnderTest({ logDirectory })
  const path = '/reports/services/logs'
  const afar = await under.app.request(path, fromHere.init, {
    incoming: { ...fromHere.env.incoming, socket: { remoteAddress: '203.0.113.9' } },
  })
  expect([afar.status, (await afar.text()).includes('secret')]).toEqual([401, false])
  const here = await under.get<Body>(`${path}?level=info&q=Secret`)
  expect([here.status, texts(here.body)]).toEqual([200, ['score: secret words']])
  for (const query of ['level=loud', 'limit=1001', `q=${'x'.repeat(201)}`, 'q=', 'file=/etc/passwd']) {
    expect([query, (await under.get(`${path}?${query}`)).status]).toEqual([query, 422])
  }
})

it('says what to do without a folder of logs', async () => {
  const without = await reportUnderTest().get<{ detail: string }>('/reports/services/logs')
  expect([without.status, without.body.detail]).toEqual([
    404,
    expect.stringMatching(/^This node does not know where its logs are: .*SERVICE_LOG_DIRECTORY/),
  ])
  await expect(ask(join(root, 'none'))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(/^There is no log of a service in .*none/),
  })
})
