import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createTestLog } from '../../../../test/test-log.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { type Log, silentLog } from '../../../ports/log.ts'
import { type LocalServer, startLocalServer } from '../http/local-server.testkit.ts'
import { pollJson, prepare } from './poll-json.ts'
import type { PollJsonOptions } from './poll-json-options.ts'

const at = Date.UTC(2026, 2, 1, 10)
const minuteMs = 60_000
const scope: FeedScope = { source: 'grid', subject: 'DE', kind: 'load', granularity: '15m' }

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const base = {
  ...{ source: 'grid', kind: 'load', url: '/load?area={subject}', every: '10ms' },
  ...{ rows: '$.data[*]', time: '$.at', values: { mw: '$.load.mw' }, holdsPast: true },
} satisfies PollJsonOptions

async function open(
  listener: RequestListener,
  options: Partial<PollJsonOptions> = {},
  env = {},
  now = () => at,
  log: Log = silentLog,
) {
  const server = await startLocalServer(listener)
  servers.push(server)
  const merged = { ...base, ...options }
  const source = prepare({ ...merged, url: `${server.url}${merged.url}` })({ env, log }, now)
  return { source, server }
}

const answering = (body: unknown, options: Partial<PollJsonOptions> = {}, status = 200) =>
  open((_, response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }, options)

async function history({ source }: Awaited<ReturnType<typeof open>>, from = 0, to = at + 1, of = scope) {
  const found: SourceRecord[] = []
  for await (const page of source.history!(of, from, to, AbortSignal.timeout(10_000))) found.push(...page)
  return found
}

for (const [name, url] of [
  ['whole answers', '/candles?symbol={subject}'],
  ['ranges', '/candles?symbol={subject}&from={from}&to={to}'],
] as const) {
  feedSourceTestsuite(`JSON over HTTP, ${name}`, {
    ...{ source: 'grid', resumes: true, batchesInstants: false },
    async open(records) {
      const listener: RequestListener = (request, response) => {
        const query = new URL(request.url ?? '', 'http://localhost').searchParams
        const mine = records.filter(({ subject }) => subject === query.get('symbol'))
        const [from, to] = [query.get('from'), query.get('to')]
        const asked = from === null ? mine : mine.filter(({ eventAt: t }) => t >= Number(from) && t < Number(to))
        response.end(JSON.stringify(asked.toReversed().map(({ eventAt, values }) => ({ t: eventAt, ...values }))))
      }
      const names = ['open', 'high', 'low', 'close', 'volume']
      const values = Object.fromEntries(names.map((value) => [value, `$.${value}`]))
      const options = { url, kind: 'candle', rows: '$[*]', time: '$.t', timeFormat: 'ms', values } as const
      const { source, server } = await open(listener, options, {}, () => records.at(-1)!.knownAt)
      return { source, close: () => server.close() }
    },
  })
}

describe('rows', () => {
  test('are read by their paths, in any order, ignoring other content', async () => {
    const rows = [
      { at: '2026-03-01T09:45:00+01:00', load: { mw: 2, unit: 'MW' } },
      { at: '2026-03-01', load: { mw: '1.50' } },
      { at: '2026-03-01T01:00:00Z', load: { mw: null } },
      { at: '2026-03-01T02:00:00Z' },
    ]
    expect(await history(await answering({ data: rows }))).toEqual([
      { ...scope, eventAt: Date.UTC(2026, 2, 1), knownAt: Date.UTC(2026, 2, 1), values: { mw: '1.50' } },
      { ...scope, eventAt: Date.UTC(2026, 2, 1, 8, 45), knownAt: Date.UTC(2026, 2, 1, 8, 45), values: { mw: 2 } },
    ])
  })

  test('may be arrays, and names may contain any characters', async () => {
    const options = { rows: '$', time: '$[0]', timeFormat: 's', values: { 'the last': '$[-1]' } } as const
    const found = await history(await answering(['1772355600', 7, 9], options))
    expect(found).toEqual([
      { ...scope, eventAt: at - 60 * minuteMs, knownAt: at - 60 * minuteMs, values: { 'the last': 9 } },
    ])
  })

  test('may be columns of the whole answer', async () => {
    const options = { rows: undefined, time: '$.hourly.time[*]', values: { celsius: '$.hourly.temperature_2m[*]' } }
    const hourly = { time: ['2026-03-01T08:00', '2026-03-01T09:00'], temperature_2m: [3.5, null] }
    const answer = await answering({ hourly }, options as Partial<PollJsonOptions>)
    expect((await history(answer)).map(({ values }) => values)).toEqual([{ celsius: 3.5 }])
    const short = await answering({ hourly: { ...hourly, temperature_2m: [1] } }, options as Partial<PollJsonOptions>)
    await expect(history(short)).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: expect.stringMatching(
        /\/load answered 1 values at \$\.hourly\.temperature_2m\[\*\] \(values\.celsius\), but 2 times at \$\.hourly\.time\[\*\]/,
      ),
    })
  })

  test.each([
    ['iso', '20260301T100000Z'],
    ['iso', '202603011000'],
    ['iso', 20_260_301_100_000],
    ['us', '1772359200000999'],
    ['ns', '1772359200000000000'],
  ] as const)('may have times in the format %s: %s', async (timeFormat, time) => {
    const found = await history(await answering({ data: [{ at: time, load: { mw: 1 } }] }, { timeFormat }))
    expect(found.map(({ eventAt }) => eventAt)).toEqual([Date.UTC(2026, 2, 1, 10)])
  })

  test('are final and known once they have settled', async () => {
    const rows = [30, 20].map((minutes) => ({ at: at - minutes * minuteMs, load: { mw: minutes } }))
    const options = { timeFormat: 'ms', settleAfter: '30m' } as const
    expect(await history(await answering({ data: rows }, options))).toEqual([
      { ...scope, eventAt: at - 30 * minuteMs, knownAt: at, values: { mw: 30 } },
    ])
    const candles = await answering({ data: rows }, { ...options, settleAfter: '15m', kind: 'candle' })
    expect((await history(candles, 0, at, { ...scope, kind: 'candle' })).map(({ knownAt }) => knownAt)).toEqual([at])
  })

  test.each([
    ['iso', '1772359200000', '"1772359200000"', 'it has the form of "ms"'],
    ['iso', 'yesterday', '"yesterday"', 'it is in no known format'],
    ['iso', '2026-02-30', '"2026-02-30"', '2026-02 has 28 days'],
    ['iso', undefined, 'nothing', 'it is empty'],
    ['s', 1_772_359_200_000, '1772359200000', 'it has the form of milliseconds, not of seconds'],
    ['ms', 1_772_359_200, '1772359200', 'it has the form of seconds, not of milliseconds'],
    ['ms', '1772359200000000', '"1772359200000000"', 'it has the form of microseconds, not of milliseconds'],
    ['ms', 202_603_011_000, '202603011000', 'it has the form of a date, not of milliseconds'],
    ['us', '1772359200000000000', '"1772359200000000000"', 'it has the form of nanoseconds, not of microseconds'],
    ['ms', '2026-03-01', '"2026-03-01"', 'it has the form of a date, not of milliseconds'],
  ] as const)('are refused when their time is not in the format %s: %s', async (timeFormat, time, shown, cause) => {
    const asked = history(await answering({ data: [{ at: time, load: { mw: 1 } }] }, { timeFormat }))
    const problem = `/load has ${shown} at $.at, not a time of the format "${timeFormat}" (${cause}): set timeFormat or time of pollJson`
    await expect(asked).rejects.toThrow(problem)
    await expect(asked).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' })
  })
})

describe('a request', () => {
  test('carries subject, range, headers and keys', async () => {
    const seen: unknown[] = []
    const options = {
      url: '/v1/{subject}?from={from}&to={to}&key={env:GRID_KEY}',
      headers: { authorization: 'Bearer {env:GRID_TOKEN}', accept: 'text/json' },
      rangeFormat: 'date',
    } as const
    const env = { GRID_KEY: 'a&b', GRID_TOKEN: ' t ' }
    const opened = await open(
      (request, response) => {
        seen.push(request.url, request.headers.authorization, request.headers.accept)
        response.end('{"data":[]}')
      },
      options,
      env,
    )
    expect(await history(opened, at - minuteMs, at, { ...scope, subject: 'D/E' })).toEqual([])
    expect(seen).toEqual(['/v1/D%2FE?from=2026-03-01&to=2026-03-01&key=a%26b', 'Bearer t', 'text/json'])
  })

  test.each([
    ['iso', '2026-03-01T09:59:59Z', '2026-03-01T10:00:01Z'],
    ['s', '1772359199', '1772359201'],
    ['ms', '1772359199500', '1772359200500'],
  ] as const)('writes ranges as %s, rounded outwards', async (rangeFormat, from, to) => {
    let asked = ''
    const opened = await open(
      (request, response) => {
        asked = decodeURIComponent(request.url ?? '')
        response.end('{}')
      },
      { url: '/x?{from}/{to}', rangeFormat },
    )
    await history(opened, at - 500, at + 500)
    expect(asked).toBe(`/x?${from}/${to}`)
  })

  test('needs its environment variables when the source is created', () => {
    const context = { env: { GRID_TOKEN: ' ' }, log: silentLog }
    const make = (options: Partial<PollJsonOptions>) => () =>
      pollJson({ ...base, url: 'http://127.0.0.1/', ...options })(context)
    for (const [options, place] of [
      [{ headers: { 'x-key': '{env:GRID_TOKEN}' } }, 'the header x-key'],
      [{ url: 'http://127.0.0.1/?key={env:GRID_TOKEN}' }, 'the url'],
    ] as const) {
      expect(make(options)).toThrow(
        expect.objectContaining({
          code: 'SETTINGS_INVALID',
          message: `The settings are wrong:\n  - GRID_TOKEN: is not set; ${place} of the JSON source needs it, so set it in the environment of the node`,
        }),
      )
    }
  })

  test.each([
    [401, 'no', 'FEED_UNAVAILABLE', /\/load answered 401 for "DE", "no"; check GRID_TOKEN$/],
    [404, '', 'FEED_UNAVAILABLE', /answered 404 for "DE", nothing; check url of pollJson and the feed's subjects$/],
    [429, '', 'FEED_INTERRUPTED', /answered 429, nothing$/],
    [503, '<html>down</html>', 'FEED_INTERRUPTED', /answered 503, "down"$/],
    [
      200,
      '<html>sign in</html>',
      'FEED_INTERRUPTED',
      /did not answer with JSON: "sign in"; if it stays so, check the url of pollJson, and GRID_TOKEN$/,
    ],
  ])('that is answered %i %s', async (status, body, code, message) => {
    const headers = { authorization: '{env:GRID_TOKEN}' }
    const opened = await open(
      (_, response) => {
        response.writeHead(status).end(body)
      },
      { headers },
      { GRID_TOKEN: 'k' },
    )
    await expect(history(opened)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

test('errors name the series and the URL, but no secret', async () => {
  const url = 'http://user:{env:GRID_PASSWORD}@127.0.0.1:9/{env:GRID_KEY}/{subject}?token={env:GRID_TOKEN}&x=1#y'
  const env = { GRID_PASSWORD: 'a-password', GRID_KEY: 'a-key', GRID_TOKEN: 'a-token' }
  const source = prepare({ ...base, url })({ env, log: silentLog }, () => at)
  const error = await history({ source } as never).catch((it: Error) => it)
  expect(String(error)).toMatch('grid:DE:load:15m from http://127.0.0.1:9/{env:GRID_KEY}/DE cannot be reached: ')
  expect(String(error)).not.toMatch(/a-password|a-key|a-token/)
})

describe('a path that selects nothing is reported once, with what is there', () => {
  test.each([
    [
      { values: { mw: '$.load.mwh', at: '$.at' } },
      'no row has a value at $.load.mwh (values.mw), so none becomes a record',
      'is an object with at, load',
    ],
    [{ rows: '$.rows[*]' }, 'no list of rows is at $.rows', 'answered an object with data'],
  ])('%o', async (options, message, reason) => {
    const log = createTestLog()
    const rows = [{ at: '2026-03-01T01:00:00Z', load: { mw: 1 } }]
    const opened = await open(
      (_, response) => response.end(JSON.stringify({ data: rows })),
      options as never,
      {},
      () => at,
      log,
    )
    expect(await history(opened)).toEqual([])
    expect(await history(opened)).toEqual([])
    expect(log.lines).toMatchObject([{ level: 'warn', message, fields: { reason: expect.stringMatching(reason) } }])
  })

  test('but neither an empty list nor a value that is missing for now', async () => {
    const log = createTestLog()
    const answers = [{ data: [] }, { data: [{ at: '2026-03-01', load: { mw: null } }] }]
    const opened = await open(
      (_, response) => response.end(JSON.stringify(answers.shift())),
      {},
      {},
      () => at,
      log,
    )
    expect([...(await history(opened)), ...(await history(opened))]).toEqual([])
    expect(log.lines).toEqual([])
  })
})

describe('the options', () => {
  test.each([
    [{ rows: 'data' }, /^pollJson: rows "data" is not a JSONPath: Expected "\$" but "d" found\. It begins with "\$"/],
    [{ time: '$..at' }, /time "\$\.\.at" may select several values; name one/],
    [{ values: { mw: '$.a[*]' } }, /values\.mw "\$\.a\[\*\]" may select several values/],
    [{ values: {} }, /values is empty/],
    [{ every: '1 minute' as '1m' }, /every "1 minute" is not a duration/],
    [{ settleAfter: 'soon' as '1m' }, /settleAfter "soon" is not a duration/],
    [{ url: 'api.example.org' }, /url "api.example.org" is not an http:\/\/ or https:\/\/ URL/],
    [{ url: 'https://x.example/?{start}' }, /url does not support \{start\}; there are \{subject\}, \{env:NAME\}$/],
    [{ url: 'https://x.example/?{from}' }, /url needs both \{from\} and \{to\}/],
    [{ rowsPerRequest: 0 }, /rowsPerRequest is 0; it must be a whole number, 1 or more/],
  ])('%o are refused when the contract is loaded', (options, message) => {
    const make = () => pollJson({ ...base, url: 'http://127.0.0.1/', ...options })
    expect(make).toThrow(expect.objectContaining({ code: 'CONTRACT_INVALID', message: expect.stringMatching(message) }))
  })

  test('determine the offered series and whether they have a history', async () => {
    const make = (options: Partial<PollJsonOptions>) =>
      pollJson({ ...base, url: 'http://127.0.0.1/', ...options })({ env: {}, log: silentLog })
    const signal = AbortSignal.timeout(10_000)
    expect(await make({ subjects: ['DE'] }).describe(signal)).toEqual([
      { source: 'grid', subjects: ['DE'], kind: 'load', granularities: 'any' },
    ])
    expect(await make({ kind: undefined } as object).describe(signal)).toMatchObject([
      { subjects: 'any', kind: 'tick' },
    ])
    expect(make({ holdsPast: false }).history).toBeUndefined()
    expect(make({ holdsPast: false, url: 'http://127.0.0.1/?{from}{to}' }).history).toBeDefined()
  })
})
