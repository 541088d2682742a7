import { getMaxListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { FeedScope } from '../../domain/feed-record.ts'
import { FeedInterrupted, type FeedSource, type SourceRecord } from '../../ports/feed-source.ts'
import { btc, eth, minute } from '../../ports/store-samples.ts'
import { all, btcMinutes, follow, minutesOf, sourceCandle } from './follow.testkit.ts'
import { createFollowedSeries } from './followed-series.ts'
import { createScriptedSource, cut } from './scripted-source.testkit.ts'
import { defaultPatience } from './timing.ts'

describe('following a source', () => {
  test('fills the past, then delivers new records, each once', async () => {
    const source = all({ records: btcMinutes(0, 10), connections: [{ lost: 5, count: 10 }] })
    const { found, messages } = await follow(source, { count: 10 })
    expect(minutesOf(found)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(messages).toEqual([])
  })

  test('begins with the first new record when nothing is stored and no past is wanted', async () => {
    const source = all({ records: btcMinutes(0, 10), connections: [{ lost: 5, count: 10 }] })
    const { found } = await follow(source, { series: [createFollowedSeries(btc, null, null)], count: 5 })
    expect(minutesOf(found)).toEqual([5, 6, 7, 8, 9])
  })

  test('accepts records older than the wanted past if the source has nothing newer', async () => {
    const { source } = createScriptedSource({ records: btcMinutes(0, 3), connections: [] })
    const { found } = await follow(source, { series: [createFollowedSeries(btc, null, minute(50))], count: 3 })
    expect(minutesOf(found)).toEqual([0, 1, 2])
  })

  test('resumes after the watermark of each series', async () => {
    const records = [0, 1, 2, 3].flatMap((count) => [sourceCandle(count), sourceCandle(count, eth)])
    const series = [createFollowedSeries(btc, minute(2), null), createFollowedSeries(eth, minute(4), null)]
    const { found } = await follow(all({ records, connections: [] }), { series, count: 2 })
    expect(found.map(({ subject, eventAt }) => [subject, eventAt])).toEqual([
      ['BTCUSDT', minute(2)],
      ['BTCUSDT', minute(3)],
    ])
  })

  test('reconnects after a cut and fills the missed records', async () => {
    const connections = [{ count: 3, end: cut('line down') }, { lost: 4, count: 2 }, { count: 9 }]
    const { found, lines, interruptions } = await follow(all({ records: btcMinutes(0, 12), connections }), {
      count: 12,
    })
    expect(minutesOf(found)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    // The second connection ended in an orderly way, which is not logged.
    expect(interruptions).toEqual(['line down'])
    expect(lines[0]).toMatchObject({
      message: 'a source was interrupted; reconnecting',
      fields: { source: 'binance', reason: 'line down', waitMs: 750 },
    })
  })

  test('waits longer after each failure, at least as long as the provider asks, and resets after new records', async () => {
    const fail = (retryAfterMs?: number) => ({
      count: 0,
      end: new FeedInterrupted('busy', { ...(retryAfterMs && { retryAfterMs }) }),
    })
    const connections = [fail(), fail(), fail(100_000), fail(), { count: 1, end: cut() }, { count: 9 }]
    const { waits } = await follow(all({ records: btcMinutes(0, 5), connections }), {
      series: [createFollowedSeries(btc, null, null)],
      patience: { repairMs: 1 },
      count: 5,
    })
    expect(waits.filter((wait) => wait > 1)).toEqual([750, 1_500, 100_750, 6_000, 750])
  })

  test('fills a gap before it delivers later records', async () => {
    const lossy = btcMinutes(0, 8).filter((record) => ![3, 4, 5].includes(minutesOf([record])[0] ?? 0))
    const whole = btcMinutes(0, 8)
    const source = createScriptedSource({ records: lossy, connections: [], history: () => [] }).source
    const withHistory: FeedSource = {
      ...source,
      async *history(_, from, to) {
        yield whole.filter(({ eventAt }) => eventAt >= from && eventAt < to && eventAt < minute(6))
      },
    }
    const { found, messages } = await follow(withHistory, {
      series: [createFollowedSeries(btc, minute(0), null)],
      count: 8,
    })
    expect(minutesOf(found)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(messages).toEqual([])
  })

  test('logs missing records once, retries, and fills them late', async () => {
    const lossy = btcMinutes(0, 8).filter((record) => ![3, 4].includes(minutesOf([record])[0] ?? 0))
    let asked = 0
    const source = createScriptedSource({ records: lossy, connections: [], history: () => [] }).source
    const withHistory: FeedSource = {
      ...source,
      async *history(_, from, to) {
        if (from < minute(3)) return
        asked += 1
        // The provider completes its history bit by bit.
        const mended = [3, 4].slice(0, Math.max(0, asked - 2))
        yield mended.map((count) => sourceCandle(count)).filter(({ eventAt }) => eventAt >= from && eventAt < to)
      },
    }
    const { found, lines } = await follow(withHistory, { count: 8 })
    expect(minutesOf(found).slice(0, 6)).toEqual([0, 1, 2, 5, 6, 7])
    expect(minutesOf(found).slice(6)).toEqual([3, 4])
    expect(lines.map(({ message, fields }) => [message, fields.from])).toEqual([
      ['records are missing', '2026-03-01T10:03:00.000Z'],
      ['missing records were filled', '2026-03-01T10:03:00.000Z'],
      ['missing records were filled', '2026-03-01T10:04:00.000Z'],
    ])
    expect(lines[0]?.fields).toMatchObject({ scope: 'binance:BTCUSDT:candle:1m', missingCount: 2 })
  })

  test('delivers a new record once when a repair finds it while it waits for earlier records', async () => {
    const tick = (count: number): SourceRecord => ({
      ...{ ...btc, kind: 'tick', eventAt: minute(count), knownAt: minute(count), values: { price: count } },
    })
    let ask = () => {}
    const isAsked = new Promise<void>((resolve) => {
      ask = resolve
    })
    let repair = () => {}
    const isRepaired = new Promise<void>((resolve) => {
      repair = resolve
    })
    let requests = 0
    const source: FeedSource = {
      describe: createScriptedSource({ records: [tick(1)], connections: [] }).source.describe,
      async *stream(_scopes, _from, signal, onOpen) {
        onOpen?.()
        yield [tick(1)]
        yield [tick(2)]
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
      async *history(_scope, _from, to) {
        requests += 1
        if (requests === 1) return
        if (to === minute(1)) {
          ask()
          await isRepaired
        } else {
          await isAsked
          yield [tick(1)]
          repair()
        }
      },
    }
    const series = [createFollowedSeries({ ...btc, kind: 'tick' }, null, minute(0))]
    const { found } = await follow(source, { series, count: 2 })
    expect(minutesOf(found)).toEqual([1, 2])
  })

  test('continues without a history that does not answer, and fills the gap when it does', async () => {
    let isDown = true
    let asked = 0
    const script = createScriptedSource({
      records: btcMinutes(0, 8),
      connections: [{ lost: 3, count: 8 }],
      history(found) {
        asked += 1
        if (asked === 12) isDown = false
        if (isDown) throw new FeedInterrupted('banned')
        return found
      },
    })
    const { found, messages } = await follow(script.source, { count: 8 })
    expect(minutesOf(found)).toEqual([3, 4, 5, 6, 7, 0, 1, 2])
    expect(messages.filter((message) => message !== 'history does not answer; retrying')).toEqual([
      'history does not answer; continuing without it',
      'records are missing',
      'missing records were filled',
    ])
  })

  test('logs gaps of a source without a history, and continues', async () => {
    const lossy = btcMinutes(0, 6).filter((record) => minutesOf([record])[0] !== 2)
    const { source } = createScriptedSource({ records: lossy, connections: [{ count: 4, end: cut() }] })
    const { found, lines } = await follow(source, { series: [createFollowedSeries(btc, minute(0), null)], count: 5 })
    expect(minutesOf(found)).toEqual([0, 1, 3, 4, 5])
    expect(lines[0]).toMatchObject({ message: 'records are missing', fields: { history: 'the source has none' } })
  })

  test('fills gaps that were already in the store', async () => {
    const hole = { from: minute(1), to: minute(3) }
    const series = [createFollowedSeries(btc, minute(4), null, [hole])]
    const source = all({ records: btcMinutes(0, 6), connections: [{ lost: 4, count: 9 }] })
    const { found } = await follow(source, { series, count: 4 })
    expect(minutesOf(found).sort()).toEqual([1, 2, 4, 5])
  })

  test('accepts late records for gaps in the store, also from a source without a history', async () => {
    const series = [createFollowedSeries(btc, minute(4), null, [{ from: minute(1), to: minute(3) }])]
    const late = [sourceCandle(0), sourceCandle(1), sourceCandle(3), sourceCandle(4)]
    const { source } = createScriptedSource({ records: late, connections: [] })
    const { found } = await follow(source, { series, count: 2 })
    expect(minutesOf(found)).toEqual([1, 4])
  })

  test('drops the oldest gap with a warning when there are more than it keeps', async () => {
    const records = Array.from({ length: 1_003 }, (_, count) => sourceCandle(2 * count))
    const { source } = createScriptedSource({ records, connections: [], history: () => [] })
    const { messages } = await follow(source, { series: [createFollowedSeries(btc, minute(0), null)], count: 1_003 })
    expect(messages.filter((message) => message === 'records are missing')).toHaveLength(1_002)
    expect(messages.filter((message) => message === 'giving up on missing records')).toHaveLength(2)
  })

  test('gives up on a gap that is too old', async () => {
    const hole = { from: minute(1), to: minute(3) }
    const series = [createFollowedSeries(btc, minute(4), null, [hole])]
    const { source } = createScriptedSource({ records: btcMinutes(4, 6), connections: [], history: () => [] })
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const waiting: FeedSource = {
      ...source,
      async *stream(scopes, from, signal, onOpen) {
        yield* source.stream(scopes, from, AbortSignal.any([signal, AbortSignal.timeout(50)]), onOpen)
        finish()
      },
    }
    const { lines } = await follow(waiting, { series, patience: { giveUpMs: 1 }, count: 2 })
    await finished
    expect(lines).toMatchObject([
      { message: 'giving up on missing records', fields: { to: '2026-03-01T10:03:00.000Z' } },
    ])
  })

  test('fails when a source refuses before it ever worked, and retries if it refuses later', async () => {
    const refused = new CrunchError('FEED_UNAVAILABLE', 'the key is wrong')
    const never = all({ records: btcMinutes(0, 5), connections: [{ count: 0, end: refused }] })
    await expect(follow(never, { count: 1 })).rejects.toBe(refused)
    const later = all({ records: btcMinutes(0, 5), connections: [{ count: 2, end: refused }] })
    const { found, interruptions, waits } = await follow(later, { count: 5 })
    expect(minutesOf(found)).toEqual([0, 1, 2, 3, 4])
    expect(interruptions).toEqual(['the key is wrong'])
    expect(Math.max(...waits)).toBeGreaterThanOrEqual(defaultPatience.longestMs)
  })

  test('refuses a series that the source does not offer, naming similar ones', async () => {
    const series = [createFollowedSeries({ ...btc, subject: 'BTCUSD' }, null, null)]
    const followed = follow(all({ records: [], connections: [] }), { series, count: 1 })
    await expect(followed).rejects.toThrow('no subject "BTCUSD"; did you mean "BTCUSDT"?')
  })

  test('rethrows errors that are not of the source: bugs, an unreachable database', async () => {
    const broken = all({ records: btcMinutes(0, 5), connections: [{ count: 1, end: new TypeError('bug') }] })
    await expect(follow(broken, { count: 5 })).rejects.toThrow('bug')
    const failed = new CrunchError('STORE_UNAVAILABLE', 'no database')
    const storeless = all({ records: btcMinutes(0, 5), connections: [{ count: 1, end: failed }] })
    await expect(follow(storeless, { count: 5 })).rejects.toBe(failed)
  })

  test.each([
    ['while filling a series', (asked: number) => asked === 1],
    ['while repairing a gap', (asked: number) => asked === 3],
  ])('rethrows a bug of the history %s, even though the stream continues', async (_when, isBroken) => {
    let asked = 0
    const source = createScriptedSource({
      records: btcMinutes(0, 8).filter((record) => minutesOf([record])[0] !== 3),
      connections: [],
      history() {
        asked += 1
        if (isBroken(asked)) throw new TypeError('bug')
        return []
      },
    }).source
    await expect(follow(source, { count: 100 })).rejects.toThrow('bug')
  })

  test('waits for the histories of many series at once without a warning about leaked listeners', async () => {
    const scopes = Array.from({ length: 30 }, (_, index) => ({
      ...btc,
      subject: index === 0 ? 'BTCUSDT' : `S${index}`,
    }))
    const { source } = createScriptedSource({ records: [sourceCandle(0)], connections: [] })
    let mostListeners = 0
    const waiting: FeedSource = {
      ...source,
      describe: async () => [{ ...btc, subjects: 'any', granularities: 'any' }],
      async *history(_scope, _from, _to, signal) {
        mostListeners = getMaxListeners(signal)
        yield []
      },
    }
    await follow(waiting, { series: scopes.map((scope) => createFollowedSeries(scope, null, minute(0))), count: 1 })
    expect(mostListeners).toBeGreaterThanOrEqual(scopes.length)
  })

  test('ignores a series that was not requested, with a warning', async () => {
    const records = [sourceCandle(0), sourceCandle(1)]
    const { source } = createScriptedSource({ records, connections: [] })
    const stranger: FeedSource = {
      ...source,
      async *stream(scopes, from, signal, onOpen) {
        yield [sourceCandle(0, eth), sourceCandle(1, eth)]
        yield* source.stream(scopes, from, signal, onOpen)
      },
    }
    const { found, lines } = await follow(stranger, { count: 2 })
    expect(found.map(({ subject }) => subject)).toEqual(['BTCUSDT', 'BTCUSDT'])
    expect(lines).toMatchObject([{ fields: { scope: 'binance:ETHUSDT:candle:1m' } }])
  })

  test('loses nothing, wherever connections are cut and however history fails', async () => {
    const tick: FeedScope = { ...btc, kind: 'tick', granularity: '1s' }
    const records = Array.from({ length: 20 }, (_, count) => [
      sourceCandle(count),
      { ...tick, eventAt: minute(count) + 7, knownAt: minute(count) + 7, values: { price: count } },
      sourceCandle(count, eth),
    ]).flat()
    const connection = fc.record({ lost: fc.nat(8), count: fc.nat(8), isOrderly: fc.boolean() })
    const connections = fc.array(connection, { maxLength: 12 })
    const failures = fc.array(fc.boolean(), { maxLength: 20 })
    const property = fc.asyncProperty(connections, failures, async (cuts, answers) => {
      const pending = [...answers]
      const script = createScriptedSource({
        records,
        connections: cuts.map(({ isOrderly, ...rest }) => ({ ...rest, ...(!isOrderly && { end: cut() }) })),
        history(found) {
          if (pending.shift() === false) throw new FeedInterrupted('busy')
          return found
        },
      })
      const series = [btc, tick, eth].map((scope) => createFollowedSeries(scope, null, minute(0)))
      const { found } = await follow(script.source, { series, count: records.length })
      const stored = await createMemoryStore().appendRecords(found.map((record) => ({ ...record, receivedAt: 0 })))
      expect(stored.inserted).toHaveLength(records.length)
      expect(stored.revisions).toEqual([])
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
