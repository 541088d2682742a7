import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { openParquetFile, type ParquetCells } from '../../adapters/feeds/recording/parquet-file.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import {
  answeredRound,
  leaderboard,
  minute,
  model,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
} from '../../ports/store-samples.ts'
import { reportContract } from '../report-contract.ts'
import { type ExportKind, exportKinds, exportTable } from './export-kinds.ts'
import type { ExportTable } from './export-table.ts'
import { type ExportFormat, writeTable } from './write-table.ts'

let folder: string
let store: MemoryStore
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'export-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  store = createMemoryStore()
  await prepare(store, ['a', 'b'])
})

const contract = {
  ...reportContract(changedContract({}), 'organizer'),
  ...{ value: 'value', scoreFields: ['value'], metrics: ['ic'] },
}
const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

async function write(kind: ExportKind, format: ExportFormat, range = everything): Promise<string> {
  count += 1
  const path = join(folder, `${count}.${format}`)
  await writeTable(path, await exportTable(kind, { store, contract, range }), format, new AbortController().signal)
  return path
}

async function readCsv(kind: ExportKind, range = everything): Promise<Record<string, string>[]> {
  return parse(await readFile(await write(kind, 'csv', range)), { columns: true })
}

async function scoredRounds(): Promise<void> {
  for (const minutes of [0, 1, 2]) await answeredRound(store, round(minutes), ['a', 'b'])
  await store.settleRounds(settleRequest({ now: minute(90), limit: 2 }), (due) => resolveAll(due))
}

describe('predictions and scores', () => {
  it('contain the answer and the truth', async () => {
    await scoredRounds()
    const rows = await readCsv('predictions')
    expect(rows).toHaveLength(6)
    expect(rows[0]).toMatchObject({
      ...{ model_id: 'a', model_name: 'model a', cruncher_id: 'c-a', subject: 'BTCUSDT', status: 'SCORED' },
      ...{ performed_at: '2026-03-01T10:00:00.000Z', resolvable_at: '2026-03-01T10:05:00.000Z', reason: '' },
      ...{ answer: '{"value":0.5}', truth: '{"return":0.01}', duration_ms: '12.5' },
    })
    expect(rows.at(-1)).toMatchObject({ status: 'PENDING', truth: '' })
    const scores = await readCsv('scores')
    expect(scores).toHaveLength(4)
    expect(scores[0]).toMatchObject({
      ...{ score_kind: 'valid', value: '1.25', score: '{"value":1.25,"hit":true}', signal: '0.5', actual: '0.25' },
      ...{ answer: '{"value":0.5}', truth: '{"return":0.01}', contract_version: '1' },
    })
  })

  it('are limited to the time range', async () => {
    await scoredRounds()
    const rows = await readCsv('predictions', { from: minute(1), to: minute(2) })
    expect(rows.map(({ performed_at }) => performed_at)).toEqual(Array(2).fill('2026-03-01T10:01:00.000Z'))
  })

  it('are all read, over many pages', async () => {
    const ids = Array.from({ length: 700 }, (_, index) => `m${String(index).padStart(3, '0')}`)
    store = createMemoryStore()
    await prepare(store, ids)
    for (const minutes of [0, 1]) await answeredRound(store, round(minutes), ids)
    const rows = await readCsv('predictions')
    expect(new Set(rows.map(({ prediction_id }) => prediction_id)).size).toBe(1_400)
  })

  it('keep texts unchanged, except those that a spreadsheet would execute', async () => {
    await store.registerModels([model('b', { name: '=HYPERLINK("http://evil")' })], minute(0))
    await store.openRound(round(0))
    const detail = 'line 1\nline 2, "quoted"'
    const answers = [
      prediction(round(0), 'a', { status: 'FAILED', output: null, reason: 'invalid_output', blame: 'model', detail }),
      prediction(round(0), 'b', { output: '=1+1' }),
    ]
    await store.recordAnswers(round(0).id, minute(1), answers)
    const [first, second] = await readCsv('predictions')
    expect(first).toMatchObject({ detail, answer: '' })
    expect(second).toMatchObject({ model_name: `'=HYPERLINK("http://evil")`, answer: '"=1+1"' })
    const [, line = ''] = (await readFile(await write('predictions', 'ndjson'), 'utf8')).split('\n')
    expect(JSON.parse(line)).toMatchObject({ model_name: '=HYPERLINK("http://evil")', answer: '=1+1' })
  })
})

describe('snapshots and the leaderboard', () => {
  beforeEach(async () => {
    for (const end of [10, 20]) {
      const snapshots = ['a', 'b'].map((id) => snapshot(id, end))
      await store.closePeriod({ snapshots, rounds: periodRounds(end), leaderboard: leaderboard(end) })
    }
  })

  it('have a column for each number of the contract, and one for all other numbers', async () => {
    const rows = await readCsv('snapshots')
    expect(rows).toHaveLength(4)
    expect(rows[0]).toMatchObject({
      ...{ model_id: 'a', period_start: '2026-03-01T10:00:00.000Z', period_end: '2026-03-01T10:10:00.000Z' },
      ...{ score_count: '3', answered_count: '3', round_count: '4', coverage: '0.75' },
      ...{ mean_value: String((0.1 + 0.2) / 3), metric_ic: '', others: JSON.stringify({ metric_hit_rate: 2 / 3 }) },
    })
    expect(await readCsv('snapshots', { from: minute(10), to: minute(20) })).toHaveLength(2)
  })

  it('contain the ranks', async () => {
    expect(await readCsv('leaderboard')).toMatchObject([
      {
        as_of: '2026-03-01T10:20:00.000Z',
        rank: '1',
        model_name: 'model a',
        score_recent: String(1 / 3),
        coverage: '0.75',
        others: '',
      },
    ])
  })

  it('are all of the periods of a stretch, oldest first, with what an era of other rules ranked', async () => {
    const [entry] = leaderboard(30).entries
    const entries = [{ ...entry, windows: { old: 0.5 } }] as Leaderboard['entries']
    const other = leaderboard(30, { entries })
    await store.closePeriod({ snapshots: [], rounds: periodRounds(30), leaderboard: other })
    const rows = await readCsv('leaderboard', { from: minute(10), to: minute(30) })
    expect(rows.map(({ as_of, others }) => [as_of, others])).toEqual([
      ['2026-03-01T10:20:00.000Z', ''],
      ['2026-03-01T10:30:00.000Z', '{"score_old":0.5}'],
    ])
  })
})

describe('files', () => {
  it('contain the same rows in every format', async () => {
    await scoredRounds()
    const rows = await readCsv('scores')
    const lines = (await readFile(await write('scores', 'ndjson'), 'utf8')).trimEnd().split('\n')
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const file = await openParquetFile(await write('scores', 'parquet'))
    const cells: ParquetCells[] = []
    for await (const page of file.pages()) cells.push(...page)
    await file.close()
    expect(file.columns).toEqual(Object.keys(rows[0] ?? {}))
    expect(Object.keys(objects[0] ?? {})).toEqual(file.columns)
    const shown = (value: unknown): string => {
      if (value === null) return ''
      if (value instanceof Date) return value.toISOString()
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    }
    expect(objects.map((row) => Object.values(row).map(shown))).toEqual(rows.map((row) => Object.values(row)))
    expect(cells.map((row) => row.map(shown))).toEqual(rows.map((row) => Object.values(row)))
  })

  it('are gzipped if their name ends in .gz', async () => {
    await scoredRounds()
    const table = await exportTable('scores', { store, contract, range: everything })
    const path = join(folder, 'scores.csv.gz')
    expect(await writeTable(path, table, 'csv', new AbortController().signal)).toBe(4)
    expect(gunzipSync(await readFile(path)).toString()).toMatch(/^prediction_id,/)
  })

  it.each(['csv', 'ndjson', 'parquet'] as const)('are not created when reading fails: %s', async (format) => {
    const table: ExportTable = {
      columns: [{ name: 'x', type: 'number' }],
      async *pages() {
        yield [[1]]
        throw new Error('the database is gone')
      },
    }
    const before = await readdir(folder)
    const path = join(folder, `broken.${format}`)
    await expect(writeTable(path, table, format, new AbortController().signal)).rejects.toThrow('the database is gone')
    expect(await readdir(folder)).toEqual(before)
  })

  it('have their columns even without rows', async () => {
    for (const kind of exportKinds) {
      const file = await openParquetFile(await write(kind, 'parquet'))
      await file.close()
      expect(file.rowCount).toBe(0)
      expect(file.columns.length).toBeGreaterThan(10)
    }
  })

  it('have only columns that docs/data.md documents', async () => {
    const docs = await readFile(new URL('../../../../../docs/data.md', import.meta.url), 'utf8')
    const tables = await Promise.all(
      exportKinds.map((kind) => exportTable(kind, { store, contract, range: everything })),
    )
    const names = tables.flatMap(({ columns }) => columns.map(({ name }) => name))
    const documented = (name: string) =>
      contract.metrics.includes(name) || docs.includes(`\`${name.replace(/^(mean_|metric_|score_).+/, '$1')}`)
    expect(names.filter((name) => !documented(name))).toEqual([])
  })
})
