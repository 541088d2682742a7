import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answeredRound, leaderboard, periodRounds, prepare, round } from '../../ports/store-samples.ts'
import { fromHere, reportUnderTest } from '../report-app.testkit.ts'
import { renderAnswer } from './formats.ts'

const far = {
  init: { headers: { host: 'node.example' } },
  env: { incoming: { socket: { remoteAddress: '203.0.113.9' }, httpVersion: '1.1', rawHeaders: [] } },
}

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store, ['a', 'b', '=cmd()'])
  await answeredRound(under.store, round(1), ['a', 'b', '=cmd()'])
  const ask = (path: string, headers: Record<string, string> = {}, from = fromHere, method = 'GET') =>
    under.app.request(path, { method, headers: { ...from.init.headers, ...headers } }, from.env)
  return { ...under, ask }
}

describe('an answer', () => {
  it('has a weak ETag that changes with it, and is not sent to a client that has it', async () => {
    const { ask, store } = await prepared()
    const etag = (await ask('/reports/leaderboard')).headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/)
    for (const known of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const again = await ask('/reports/leaderboard', { 'if-none-match': known })
      expect([known, again.status, await again.text(), again.headers.get('etag')]).toEqual([known, 304, '', etag])
    }
    expect((await ask('/reports/leaderboard', { 'if-none-match': '"other"' })).status).toBe(200)
    await store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10) })
    const changed = await ask('/reports/leaderboard', { 'if-none-match': etag })
    expect([changed.status, changed.headers.get('etag') === etag]).toEqual([200, false])
  })

  it('may be kept by shared caches only if everyone may see it', async () => {
    const { ask } = await prepared()
    const public_ = await ask('/reports/leaderboard', {}, far)
    expect(public_.headers.get('cache-control')).toBe('public, no-cache')
    expect(public_.headers.get('vary')).toContain('Authorization, X-API-Key')
    expect((await ask('/reports/leaderboard')).headers.get('cache-control')).toBe('private, no-cache')
    expect((await ask('/reports/models/a/failures')).headers.get('cache-control')).toBe('no-store')
  })

  it('is compressed if it is long and the client takes gzip, and a HEAD has its headers alone', async () => {
    const { ask } = await prepared()
    const path = '/reports/predictions'
    const plain = await ask(path)
    const text = await plain.text()
    for (const coding of ['gzip', 'br;q=1.0, gzip;q=0.5', '*']) {
      const short = await ask(path, { 'accept-encoding': coding })
      expect([coding, short.headers.get('content-encoding')]).toEqual([coding, 'gzip'])
      expect(gunzipSync(await short.arrayBuffer()).toString()).toBe(text)
      expect(short.headers.get('etag')).toBe(plain.headers.get('etag'))
    }
    for (const coding of ['', 'br', 'gzip;q=0', '*, gzip;q=0.0']) {
      expect((await ask(path, { 'accept-encoding': coding })).headers.get('content-encoding')).toBeNull()
    }
    expect((await ask('/info', { 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBeNull()
    const head = await ask(path, {}, fromHere, 'HEAD')
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', plain.headers.get('etag')])
  })
})

describe('a list', () => {
  it('is CSV or NDJSON by parameter or by Accept, and JSON for every other client', async () => {
    const { ask } = await prepared()
    const typeOf = async (path: string, accept?: string) =>
      (await ask(path, accept === undefined ? {} : { accept })).headers.get('content-type')
    const path = '/reports/predictions'
    expect(await typeOf(path)).toBe('application/json; charset=utf-8')
    expect(await typeOf(path, 'text/html, */*;q=0.8')).toBe('application/json; charset=utf-8')
    expect(await typeOf(path, 'text/csv')).toBe('text/csv; charset=utf-8')
    expect(await typeOf(path, 'text/csv;q=0.2, application/x-ndjson')).toBe('application/x-ndjson; charset=utf-8')
    expect(await typeOf(`${path}?format=json`, 'text/csv')).toBe('application/json; charset=utf-8')
    const wrong = await ask(`${path}?format=xml`)
    expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining('json, csv, ndjson')])
    // Not a list.
    expect((await ask('/reports/models/a?format=csv')).status).toBe(422)
  })

  it('has the same rows in each form, and no cell that a spreadsheet would run', async () => {
    const { ask } = await prepared()
    const rows = (await (await ask('/reports/predictions')).json()) as object[]
    const lines = (await (await ask('/reports/predictions?format=ndjson')).text()).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows)
    const csv = (await (await ask('/reports/predictions?format=csv')).text()).split('\r\n')
    const header = (csv[0] ?? '').split(',')
    expect(csv).toHaveLength(rows.length + 2)
    expect(new Set(header)).toEqual(new Set(rows.flatMap((row) => Object.keys(row))))
    expect(csv.join('\n')).toContain(`,'=cmd(),`)
    expect(csv.join('\n')).not.toMatch(/(^|,)"?[=@+]/m)
  })

  it('without a row has its header', async () => {
    const { ask } = await prepared()
    const [header, rest] = (await (await ask('/reports/snapshots?format=csv')).text()).split('\r\n')
    expect([header?.startsWith('id,model_id,period_start,'), rest]).toEqual([true, ''])
  })

  it.each([
    ['=1+1', `'=1+1`],
    ['+1', `'+1`],
    ['-1', `'-1`],
    ['@sum', `'@sum`],
    ['\tx', `'\tx`],
    ['\rx', `"'\rx"`],
    ['a,"b"\n', '"a,""b""\n"'],
    [-1.5, '-1.5'],
    [null, ''],
    [{ a: '=1' }, '"{""a"":""=1""}"'],
  ])('writes the cell %j as %j', (value, text) => {
    const definition = { answer: z.array(z.object({ cell: z.unknown() })) }
    expect(renderAnswer([{ cell: value }], 'csv', definition).text).toBe(`cell\r\n${text}\r\n`)
  })
})
