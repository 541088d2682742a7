import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { FeedSource } from '../../../ports/feed-source.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import type { BinanceOptions } from './binance-options.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { readStream } from './testing/read-stream.ts'
import { type FakeAnswer, type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

const file = fileURLToPath(new URL('../../../../../../../shared/data/payloads/errors/errors.jsonl', import.meta.url))
const isThere = existsSync(file)
const isRequired = process.env.CI === 'true'

const scope: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
/** The end of one of the recorded bans. */
const bannedUntil = 1_787_546_698_129
const now = bannedUntil - 90_000
const endless = new AbortController().signal

let binance: FakeBinance
beforeEach(async () => {
  binance = await startFakeBinance({ now: () => now })
})
afterEach(() => binance.close())

function open(options: BinanceOptions = {}): FeedSource {
  const { restUrl, streamUrl } = binance
  return createBinanceSource({ restUrl, streamUrl, now: () => now, ...options })
}

/** The errors of a history request and of a stream. */
async function refusals(answer: FakeAnswer, options: BinanceOptions = {}) {
  binance.failRequests(answer)
  binance.failHandshakes(answer)
  const history = await open(options)
    .history?.(scope, 0, now, endless)
    [Symbol.asyncIterator]()
    .next()
    .catch((error: unknown) => error)
  const stream = await readStream(open(options), [scope]).ended.catch((error: unknown) => error)
  return { history: history as FeedInterrupted, stream: stream as FeedInterrupted }
}

interface RecordedError {
  readonly api: string
  readonly status: number
  readonly body: string
  readonly content_type?: string
}

function recordedErrors(): RecordedError[] {
  if (!isThere) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as RecordedError).filter(({ api }) => api === 'binance')
}

const banned = (seconds: number) =>
  new RegExp(
    `^P answered 418, "Way too .*": it has banned this address for too many requests; retrying in ${seconds} s$`,
  )

/** In the order of the recording: HTTP status, error code, message (P is the place), and how long to wait. */
const expected: readonly (readonly [number, string, RegExp, number | null])[] = [
  // A ban that ended long before the test's clock causes a wait as long as the shortest ban.
  [418, 'FEED_INTERRUPTED', banned(120), 120_000],
  [418, 'FEED_INTERRUPTED', banned(120), 120_000],
  [418, 'FEED_INTERRUPTED', banned(90), 90_000],
  [418, 'FEED_INTERRUPTED', banned(120), 120_000],
  [
    429,
    'FEED_INTERRUPTED',
    /^P answered 429, "Too much request weight used.*": it received too many .* in 60 s$/,
    60_000,
  ],
  [
    451,
    'FEED_UNAVAILABLE',
    /does not serve the region of this machine: set FEED_BINANCE_SITE=us .* or data .*, or run/,
    null,
  ],
  [
    502,
    'FEED_INTERRUPTED',
    /^P answered 502, "502 Bad Gateway .*": Binance is temporarily unavailable; retrying$/,
    null,
  ],
  [
    403,
    'FEED_INTERRUPTED',
    /"ERROR: .*Request blocked.*": its firewall blocks this address, .* FEED_BINANCE_SITE=.* 300 s$/,
    300_000,
  ],
  [
    400,
    'FEED_UNAVAILABLE',
    /"Invalid symbol\.". Binance has no symbol "BTCUSDT": write it as Binance does, such as/,
    null,
  ],
  [
    503,
    'FEED_INTERRUPTED',
    /^P answered 503, "This service is no longer available\.": Binance is temporarily unavailable/,
    null,
  ],
  [
    200,
    'FEED_INTERRUPTED',
    /^P answered "{"msg":"System maintenance\.","status":1}", which does not match its documentation/,
    null,
  ],
]

describe.skipIf(!isThere && !isRequired)('recorded errors (skipped where ../shared/data/payloads is absent)', () => {
  test('are exactly the expected ones', () => {
    expect(recordedErrors().map(({ status }) => status)).toEqual(expected.map(([status]) => status))
  })

  test.each(expected.map((row, index) => [index, ...row] as const))(
    'number %i, %i, is shown as %s: %s',
    async (index, status, code, message, retryAfterMs) => {
      const { body, content_type } = recordedErrors()[index] as RecordedError
      const headers = { 'content-type': content_type ?? 'application/json' }
      const { history, stream } = await refusals({ status, headers, body })
      const shown = (error: Error) => error.message.replace(/(http|ws):\/\/127\.0\.0\.1:\d+\/[\w/]+/, 'P')
      expect(shown(history)).toMatch(message)
      expect(history).toMatchObject({ code })
      expect(history.retryAfterMs ?? null).toBe(retryAfterMs)
      // A handshake answered with 200 is refused without a reason; a stream has no single symbol.
      if (status === 200 || status === 400) return
      expect(shown(stream)).toMatch(message)
      expect(stream).toMatchObject({ code })
      expect(stream.retryAfterMs ?? null).toBe(retryAfterMs)
    },
  )
})

describe('a refusal', () => {
  test('causes a wait as long as its header says', async () => {
    const body = JSON.stringify({ code: -1003, msg: `Way too many requests; IP banned until ${now + 5_000}.` })
    const { history, stream } = await refusals({ status: 418, headers: { 'retry-after': '17' }, body })
    expect([history.retryAfterMs, stream.retryAfterMs]).toEqual([17_000, 17_000])
    const tooMany = await refusals({ status: 429, headers: { 'retry-after': '3' } })
    expect([tooMany.history.retryAfterMs, tooMany.stream.retryAfterMs]).toEqual([3_000, 3_000])
  })

  test('suggests the other sites', async () => {
    const { history } = await refusals({ status: 451 }, { site: 'us' })
    expect(history.message).toMatch(/set FEED_BINANCE_SITE=data \(.*\), or run/)
  })

  test('because of a granularity or a wrong address is final', async () => {
    const interval = { status: 400, body: '{"code":-1120,"msg":"Invalid interval."}' }
    expect((await refusals(interval)).history.message).toContain('There are no candles of 1m at this site')
    const { history, stream } = await refusals({ status: 404, body: '<h1>Not Found</h1>' })
    for (const error of [history, stream]) {
      expect(error).toMatchObject({ code: 'FEED_UNAVAILABLE' })
      expect(error.message).toContain('check FEED_BINANCE_REST_URL and FEED_BINANCE_STREAM_URL')
    }
  })

  test('of a handshake with 200 is an interruption', async () => {
    const { stream } = await refusals({ status: 200, body: '{"msg":"System maintenance.","status":1}' })
    expect(stream).toBeInstanceOf(FeedInterrupted)
    expect(stream.message).toMatch(/answered 200, "System maintenance\."/)
  })

  test('with a truncated body is explained by its status', async () => {
    binance.failHandshakes({ status: 451, headers: { 'content-length': '100' }, body: 'Serv' })
    const reader = readStream(open({ timeoutMs: 50 }), [scope])
    await expect(reader.ended).rejects.toThrow('does not serve the region')
  })
})
