import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { csvText, csvValue } from '../../domain/json/csv-cell.ts'
import { formatInstant } from '../../domain/time.ts'
import type { Cell, CellType, ExportTable } from './export-table.ts'
import { parquetChunks } from './parquet-chunks.ts'

export const exportFormats = ['csv', 'parquet', 'ndjson'] as const
export type ExportFormat = (typeof exportFormats)[number]

/**
 * Streams a table into a file and returns its number of rows. A path that ends in `.gz` is gzipped. The file is created
 * completely or not at all.
 */
export async function writeTable(
  path: string,
  table: ExportTable,
  format: ExportFormat,
  signal: AbortSignal,
): Promise<number> {
  const draft = `${path}.draft`
  let count = 0
  const counted: ExportTable = {
    columns: table.columns,
    async *pages() {
      for await (const page of table.pages()) {
        count += page.length
        yield page
      }
    },
  }
  const chunks = { csv: csvChunks, ndjson: ndjsonChunks, parquet: parquetChunks }[format](counted)
  const target = createWriteStream(draft, { flush: true })
  try {
    const source = Readable.from(chunks, { objectMode: false })
    if (path.endsWith('.gz')) await pipeline(source, createGzip(), target, { signal })
    else await pipeline(source, target, { signal })
    await rename(draft, path)
    return count
  } finally {
    await rm(draft, { force: true })
  }
}

async function* csvChunks({ columns, pages }: ExportTable): AsyncGenerator<string> {
  yield `${columns.map(({ name }) => csvCell(name, 'text')).join(',')}\n`
  for await (const rows of pages()) {
    yield rows
      .map((row) => `${row.map((cell, index) => csvCell(cell, columns[index]?.type ?? 'text')).join(',')}\n`)
      .join('')
  }
}

async function* ndjsonChunks({ columns, pages }: ExportTable): AsyncGenerator<string> {
  for await (const rows of pages()) {
    yield rows
      .map((row) => {
        const named = row.map((cell, index) => {
          const { name = '', type = 'text' } = columns[index] ?? {}
          return [name, type === 'time' && cell !== null ? timeOf(cell) : cell] as const
        })
        return `${JSON.stringify(Object.fromEntries(named))}\n`
      })
      .join('')
  }
}

function csvCell(cell: Cell, type: CellType): string {
  if (cell === null) return ''
  if (type === 'time') return timeOf(cell)
  if (type === 'text') return csvText(String(cell))
  return csvValue(type === 'json' ? JSON.stringify(cell) : String(cell))
}

function timeOf(cell: Cell): string {
  return formatInstant(Number(cell))
}
