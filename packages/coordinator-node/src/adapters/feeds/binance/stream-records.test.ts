import { afterEach, describe, expect, test, vi } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import type { BinanceOptions } from './binance-options.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { candleMessage, candleStream, type FakeCandle } from './testing/fake-market.ts'
import { readStream } from './testing/read-stream.ts'
import { type FakeBinance, type FakeBinanceOptions, startFakeBinance } from './testing/start-fake-binance.ts'

const startAt = Date.UTC(2026, 2, 1, 10)
const scope: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }

function candleOf(minute: number): FakeCandle {
  const openAt = startAt + minute * 60_000
  const prices = { open: 1.5, high: 2, low: 1, close: 1.75, volume: minute }
  return { symbol: 'BTCUSDT', interval: '1m', openAt, closeAt: openAt + 60_000, ...prices }
}

/** A message with a closed candle, as Binance sends it. */
function frameOf(minute: number): string {
  const candle = candleOf(minute)
  return JSON.stringify({ stream: candleStream(candle), data: candleMessage(candle, true) })
}

let binance: FakeBinance
afterEach(() => binance.close())

async function connect(scopes = [scope], options: BinanceOptions = {}, fake: FakeBinanceOptions = {}) {
  binance = await startFakeBinance(fake)
  const { restUrl, streamUrl } = binance
  const reader = readStream(createBinanceSource({ restUrl, streamUrl, ...options }), scopes)
  return { reader, connection: binance.connected(1) }
}

async function failureOf(ended: Promise<void>): Promise<FeedInterrupted> {
  return ended.then(
    () => {
      throw new Error('the stream ended quietly')
    },
    (error: FeedInterrupted) => error,
  )
}

const untilDisconnected = () => vi.waitFor(() => expect(binance.openSockets).toBe(0))

describe('the end of a connection', () => {
  test.each([1000, 1001])('is orderly with close code %i, after everything that was sent', async (code) => {
    const { reader, connection } = await connect()
    for (const minute of [0, 1]) binance.publishCandle(candleOf(minute))
    const opened = await connection
    for (const minute of [2, 3]) opened.send(frameOf(minute))
    opened.finish(code)
    await reader.ended
    expect(reader.records.map(({ eventAt }) => eventAt)).toEqual([candleOf(2).openAt, candleOf(3).openAt])
  })

  test.each(['{"e":"serverShutdown","E":1}', '{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}'])(
    'is orderly when the server says that it shuts down: %s',
    async (frame) => {
      const { reader, connection } = await connect()
      const opened = await connection
      opened.send(frameOf(0))
      opened.send(frame)
      await reader.ended
      expect(reader.records).toHaveLength(1)
      await untilDisconnected()
    },
  )

  test('is an interruption with the reason when Binance closes with an error', async () => {
    const { reader, connection } = await connect()
    ;(await connection).finish(1008, 'Too many requests')
    const error = await failureOf(reader.ended)
    expect(error).toBeInstanceOf(FeedInterrupted)
    expect(error.message).toBe(
      `the stream of Binance at ${binance.streamUrl}/stream broke: closed with 1008, "Too many requests"; reconnecting`,
    )
  })

  test('is an interruption at whichever byte it is cut, after everything before was read', async () => {
    const { byteLength } = Buffer.from(frameOf(1))
    for (let byteCount = 0; byteCount <= byteLength + 3; byteCount += 7) {
      const { reader, connection } = await connect()
      const opened = await connection
      opened.send(frameOf(0))
      opened.cutWithin(frameOf(1), byteCount)
      expect(await failureOf(reader.ended)).toBeInstanceOf(FeedInterrupted)
      expect(reader.records.map(({ eventAt }) => eventAt)).toEqual([candleOf(0).openAt])
      await binance.close()
    }
  })

  test('is an interruption when no server listens', async () => {
    binance = await startFakeBinance()
    const { restUrl, streamUrl } = binance
    await binance.close()
    const error = await failureOf(readStream(createBinanceSource({ restUrl, streamUrl }), [scope]).ended)
    expect(error.message).toMatch(/\/stream broke: connect ECONNREFUSED .*; reconnecting$/)
  })

  test('is an interruption when the handshake is not answered', async () => {
    binance = await startFakeBinance()
    binance.failHandshakes({ status: 200, stalls: true })
    const { restUrl, streamUrl } = binance
    const source = createBinanceSource({ restUrl, streamUrl, timeoutMs: 50 })
    expect(await failureOf(readStream(source, [scope]).ended)).toBeInstanceOf(FeedInterrupted)
    await untilDisconnected()
  })
})

describe('a silent connection', () => {
  test('is closed when a ping is not answered', async () => {
    const { reader } = await connect([scope], { silenceMs: 40 }, { answersPings: false })
    await expect(reader.ended).rejects.toThrow('silent for 0.04 s, a ping was not answered')
    await untilDisconnected()
  })

  test('stays open while its pings are answered', async () => {
    const { reader, connection } = await connect([scope], { silenceMs: 200 })
    const opened = await connection
    await vi.waitFor(() => expect(opened.pingCount).toBeGreaterThan(2))
    binance.publishCandle(candleOf(0))
    await reader.until(1)
    await reader.stop()
  })
})

describe('an unexpected message', () => {
  const kline = (changes: object) => {
    const { k } = candleMessage(candleOf(0), true) as { k: object }
    return JSON.stringify({ stream: 'btcusdt@kline_1m', data: { e: 'kline', s: 'BTCUSDT', k: { ...k, ...changes } } })
  }

  test.each([
    ['', 'Unexpected end of JSON'],
    ['{"stream":"btcusdt@kline_1m","data"', 'JSON'],
    ['[1,2]', 'it is not an object'],
    ['null', 'it is not an object'],
    ['{"hello":1}', 'it is neither stream data nor a response'],
    ['{"stream":"btcusdt@kline_1m"}', '"data" is not an object'],
    ['{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}', '"k" is not an object'],
    [kline({ x: 'yes' }), '"x" is neither true nor false'],
    [kline({ c: undefined }), '"close" is not a decimal number'],
    [kline({ c: 'NaN' }), '"close" is not a decimal number'],
    [kline({ o: 1.5 }), '"open" is not a decimal number'],
    [kline({ t: 'now' }), '"open time" is not a whole number'],
    [kline({ t: startAt + 1 }), 'is not on the grid of its granularity'],
    [Buffer.from([1, 2, 3]), 'it is binary'],
  ])('interrupts the stream and is quoted: %s', async (frame, problem) => {
    const { reader, connection } = await connect()
    const opened = await connection
    opened.send(frameOf(0))
    opened.send(frame)
    const error = await failureOf(reader.ended)
    expect(error).toBeInstanceOf(FeedInterrupted)
    expect(error.message).toContain('which is not a message of Binance')
    expect(error.message).toContain(problem)
    expect(reader.records).toHaveLength(1)
    await untilDisconnected()
  })

  test('of a stream that was not requested is ignored', async () => {
    const { reader, connection } = await connect()
    const opened = await connection
    opened.send('{"stream":"ethusdt@kline_1m","data":{"e":"kline"}}')
    opened.ping()
    opened.send(frameOf(0))
    await reader.until(1)
    await reader.stop()
  })

  test.each([
    ['{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":1}', 'FEED_UNAVAILABLE'],
    ['{"code":3,"msg":"Invalid JSON"}', 'FEED_UNAVAILABLE'],
    ['{"code":-1003,"msg":"Too many requests"}', 'FEED_INTERRUPTED'],
  ])('that is the refusal %s ends the stream with %s', async (frame, code) => {
    const { reader, connection } = await connect()
    ;(await connection).send(frame)
    const error = await failureOf(reader.ended)
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(`refused with "${frame}"`)
  })
})

describe('many streams', () => {
  const symbols = Array.from({ length: 350 }, (_, index) => `COIN${index}USDT`)
  const scopes = symbols.map((subject) => ({ ...scope, subject }))

  test('are subscribed to by messages; the connection is open when all were accepted', async () => {
    const { reader } = await connect(scopes)
    await reader.opened
    const [connection] = binance.connections
    expect(connection?.streams).toEqual(symbols.map((symbol) => `${symbol.toLowerCase()}@kline_1m`))
    for (const symbol of symbols) binance.publishCandle({ ...candleOf(0), symbol })
    await reader.until(symbols.length)
    await reader.stop()
  })

  test('whose subscriptions are not answered are interrupted', async () => {
    const { reader } = await connect(scopes, { timeoutMs: 50 }, { answersSubscriptions: false })
    await expect(reader.ended).rejects.toThrow('subscriptions were not answered within 0.05 s')
  })

  test('beyond the limit of one connection are refused, and so are impossible series', async () => {
    const tooMany = Array.from({ length: 1_025 }, (_, index) => ({ ...scope, subject: `COIN${index}` }))
    const refused = async (scopes: FeedScope[]) => failureOf((await connect(scopes)).reader.ended)
    expect((await refused(tooMany)).message).toContain('1024 streams per connection, but 1025 were requested')
    await binance.close()
    for (const wrong of [{ kind: 'funding' }, { granularity: '1w' }, { subject: 'BTC/USDT' }, { subject: '' }]) {
      const error = await refused([{ ...scope, ...wrong }])
      expect(error).toMatchObject({
        code: 'FEED_UNAVAILABLE',
        message: expect.stringContaining('Binance has no series'),
      })
      expect(binance.connections).toEqual([])
      await binance.close()
    }
  })
})

describe('a slow reader', () => {
  test('gets the waiting records, then an error that the rest was dropped', async () => {
    binance = await startFakeBinance()
    const { restUrl, streamUrl } = binance
    const source = createBinanceSource({ restUrl, streamUrl, maxPendingRecords: 3 })
    const batches = source.stream([scope], new Map(), new AbortController().signal)[Symbol.asyncIterator]()
    const first = batches.next()
    binance.connected(1).then(() => binance.publishCandle(candleOf(0)))
    expect((await first).value).toHaveLength(1)
    for (let minute = 1; minute <= 4; minute += 1) binance.publishCandle(candleOf(minute))
    await untilDisconnected()
    expect((await batches.next()).value).toHaveLength(3)
    const problem = batches.next()
    await expect(problem).rejects.toBeInstanceOf(FeedInterrupted)
    await expect(problem).rejects.toThrow('its reader is too slow, 3 records were waiting; reconnecting')
  })
})

describe('an abort', () => {
  test('ends the stream without an error and leaves nothing open: while it connects', async () => {
    binance = await startFakeBinance()
    binance.failHandshakes({ status: 200, stalls: true })
    const { restUrl, streamUrl } = binance
    const reader = readStream(createBinanceSource({ restUrl, streamUrl }), [scope])
    await vi.waitFor(() => expect(binance.openSockets).toBe(1))
    await reader.stop()
    await untilDisconnected()
  })

  test('... while it subscribes', async () => {
    const scopes = Array.from({ length: 101 }, (_, index) => ({ ...scope, subject: `COIN${index}` }))
    const { reader } = await connect(scopes, {}, { answersSubscriptions: false })
    await vi.waitFor(() => expect(binance.connections).toHaveLength(1))
    await reader.stop()
    await untilDisconnected()
  })

  test('... while it waits, and while records are waiting', async () => {
    for (const count of [0, 100]) {
      const { reader, connection } = await connect()
      const opened = await connection
      await reader.opened
      for (let minute = 0; minute < count; minute += 1) opened.send(frameOf(minute))
      await reader.stop()
      await untilDisconnected()
      await binance.close()
    }
  })

  test('... and so does leaving the loop', async () => {
    binance = await startFakeBinance()
    const { restUrl, streamUrl } = binance
    const source = createBinanceSource({ restUrl, streamUrl })
    binance.connected(1).then(() => binance.publishCandle(candleOf(0)))
    for await (const batch of source.stream([scope], new Map(), new AbortController().signal)) {
      expect(batch).toHaveLength(1)
      break
    }
    await untilDisconnected()
  })
})
