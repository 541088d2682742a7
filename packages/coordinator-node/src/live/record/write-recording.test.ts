import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMigratedDatabase } from '../../../test/migrated-database.ts'
import { changedContract } from '../../../test/sample-contract.ts'
import { recordingName } from '../../adapters/feeds/recording/series-path.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import { contractFeeds } from '../../contract/resolved-contract.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import type { Store } from '../../ports/store.ts'
import { btc, candle, eth, minute } from '../../ports/store-samples.ts'
import { contractRecording } from '../../recording/contract-recording.ts'
import { simulate } from '../../simulation/simulate.ts'
import { followRecording } from './follow-recording.ts'
import { writeRecording } from './write-recording.ts'

const signal = new AbortController().signal
const always = { from: minute(-1_000), to: minute(100_000) }
const contract = changedContract({})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'record-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const fileOf = (scope = btc) => join(folder, `${recordingName(scope)}.ndjson.gz`)

async function readBack(source: FeedSource) {
  const scopes = contractFeeds(contract).map(({ scope }) => scope)
  const batches = []
  for await (const batch of source.stream(scopes, new Map(), signal)) batches.push(...batch)
  return batches
}

it('writes rows with the times of each record, ordered by knownAt', async () => {
  const store = createMemoryStore()
  await store.appendRecords([{ ...candle(0), knownAt: minute(9) }, candle(1), candle(2), candle(50)])
  expect(await writeRecording(fileOf(), store, { scope: btc, from: minute(3), to: minute(51) }, signal)).toBe(2)
  const rows = gunzipSync(await readFile(fileOf())).toString()
  expect(
    rows
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row)),
  ).toEqual([
    {
      event_at: '2026-03-01T10:02:00.000Z',
      known_at: '2026-03-01T10:03:00.000Z',
      received_at: '2026-03-01T10:03:00.250Z',
      subject: 'BTCUSDT',
      close: 102,
    },
    expect.objectContaining({ event_at: '2026-03-01T10:00:00.000Z', known_at: '2026-03-01T10:09:00.000Z' }),
  ])
})

it('creates no file when there are no records, or when a value cannot be written', async () => {
  const store = createMemoryStore()
  expect(await writeRecording(fileOf(), store, { scope: btc, ...always }, signal)).toBe(0)
  await store.appendRecords([candle(0, { subject: 'x' })])
  const stretch = { scope: btc, ...always }
  await expect(writeRecording(fileOf(), store, stretch, signal)).rejects.toThrow(
    /"subject" is a reserved name in recordings/,
  )
  expect(await readdir(folder)).toEqual([])
})

it('records what a node received, so that a replay gives the same results', async () => {
  const rows = Array.from({ length: 200 }, (_, index) => {
    const at = new Date(minute(index)).toISOString()
    const late = new Date(minute(index + 2)).toISOString()
    // A revision follows the first version; some candles became known late.
    const close = 100 + Math.sin(index / 7)
    return [
      { event_at: at, subject: 'BTCUSDT', close },
      ...(index % 9 === 0 ? [{ event_at: at, subject: 'BTCUSDT', close: close + 1 }] : []),
      { event_at: at, known_at: late, subject: 'ETHUSDT', close: close / 2 },
    ]
  })
  const original = join(folder, 'original.ndjson')
  await writeFile(
    original,
    rows
      .flat()
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )
  const database = await createMigratedDatabase()
  const store = await openPostgresStore({ url: database.url })
  try {
    const received = (await readBack(contractRecording(contract, [original]))).map((record, index) => ({
      ...record,
      receivedAt: record.knownAt + index,
    }))
    await store.appendRecords(received)
    for (const scope of [btc, eth]) await writeRecording(fileOf(scope), store, { scope, ...always }, signal)
  } finally {
    await store.close()
    await database.drop()
  }
  const play = (files: readonly string[]) => {
    const model = { tick: () => undefined, predict: () => ({ value: 0.5 }) }
    const identity = { id: 'm', name: 'm', deploymentId: 'd', cruncherId: 'c', cruncherName: 'c' }
    return simulate({ contract, source: contractRecording(contract, files), models: [{ identity, model }] })
  }
  const [first, second] = [await play([original]), await play([fileOf(btc), fileOf(eth)])]
  expect(first.counts.scores).toBeGreaterThan(100)
  expect(second.digest).toBe(first.digest)
  expect(second.leaderboard).toEqual(first.leaderboard)
})

it('continues with newly stored records, and reports those that came too late for their place', async () => {
  const store: Store = createMemoryStore()
  await store.appendRecords([candle(0), candle(2)])
  const ending = new AbortController()
  const counts: (readonly [number, number])[] = []
  const turns = [
    () => store.appendRecords([candle(3)]),
    () => store.appendRecords([candle(1), candle(4)]),
    () => ending.abort(),
  ]
  const timing = { wait: async () => void (await turns.shift()?.()) }
  const path = join(folder, 'BTCUSDT.ndjson')
  const recording = { store, stretch: { scope: btc, ...always }, timing, signal: ending.signal }
  await followRecording(path, { ...recording, onProgress: (count, late) => counts.push([count, late]) })
  expect(counts).toEqual([
    [2, 0],
    [3, 0],
    [4, 1],
  ])
  const found = await readBack(contractRecording(contract, [path]))
  expect(found.map(({ eventAt }) => eventAt)).toEqual([0, 2, 3, 4].map(minute))
  await expect(followRecording(path, { ...recording, onProgress: () => undefined })).rejects.toMatchObject({
    code: 'EEXIST',
  })
})
