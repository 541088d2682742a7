import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { silentLog } from '../../../ports/log.ts'
import { createHoleWatch } from '../../../recording/watch-holes.ts'
import { createRecordingSource } from './create-recording-source.ts'
import type { RecordingSeries } from './recording-options.ts'

// Real prices are stored outside the repository, because several sets have no licence.
const folder = fileURLToPath(new URL('../../../../../../../shared/data/series/', import.meta.url))
const isThere = existsSync(folder)
const isRequired = process.env.CI === 'true'

const minuteMs = 60_000
const series: RecordingSeries = {
  source: 'binance',
  subjects: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
  kind: 'candle',
  granularity: '1m',
}

async function read(names: readonly string[]): Promise<(readonly SourceRecord[])[]> {
  const source = createRecordingSource({ files: names.map((name) => ({ path: `${folder}${name}` })), series })
  const { source: name, subjects, kind, granularity } = series
  const scopes = subjects.map((subject) => ({ source: name, subject, kind, granularity }))
  const batches: (readonly SourceRecord[])[] = []
  for await (const batch of source.stream(scopes, new Map(), new AbortController().signal)) batches.push(batch)
  return batches
}

describe.skipIf(!isThere && !isRequired)('real recordings (skipped where ../shared/data/series is absent)', () => {
  it('reads a series without gaps to its last row', async () => {
    const batches = await read(['binance-spot-BTCUSDT-1m-2025-01.csv.gz'])
    expect(batches).toHaveLength(50_000)
    expect(batches[0]).toEqual([
      {
        ...{ source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' },
        eventAt: Date.UTC(2025, 0, 1, 3),
        knownAt: Date.UTC(2025, 0, 1, 3, 1),
        values: { open: 94098.9, high: 94098.91, low: 94049.47, close: 94049.47, volume: 7.50148 },
      },
    ])
    expect(batches.at(-1)?.[0]?.eventAt).toBe(Date.UTC(2025, 1, 4, 20, 19))
  })

  it('merges three subjects and keeps the two gaps of 2021-04', async () => {
    const batches = await read(['SOL', 'BTC', 'ETH'].map((coin) => `binance-spot-${coin}USDT-1m-2021-04.csv.gz`))
    const times = batches.map((batch) => (batch[0] as SourceRecord).eventAt)
    const holes = times.flatMap((at, index) => {
      const previousAt = times[index - 1] ?? at
      return at - previousAt > minuteMs ? [[new Date(previousAt).toISOString(), (at - previousAt) / minuteMs - 1]] : []
    })
    expect(holes).toEqual([
      ['2021-04-20T01:59:00.000Z', 150],
      ['2021-04-25T04:00:00.000Z', 284],
    ])
    const watch = createHoleWatch(silentLog)
    for (const record of batches.flat()) watch.note(record)
    // Each series also lacks some single minutes; the two long gaps are in all three.
    const long = watch.holes().filter(({ missingCount }) => missingCount > 100)
    expect(
      long.map(({ scope, from, missingCount }) => [scope.subject, new Date(from).toISOString(), missingCount]),
    ).toEqual(
      holes.flatMap(([at, count]) => {
        const from = new Date(Date.parse(String(at)) + minuteMs).toISOString()
        return series.subjects.map((subject) => [subject, from, count])
      }),
    )
    const full = batches.filter((batch) => batch.length === 3)
    expect(full.length).toBeGreaterThan(61_000)
    expect(full[0]?.map((record) => record.subject)).toEqual(['BTCUSDT', 'ETHUSDT', 'SOLUSDT'])
  })
})
