import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
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
  const text = type === 'json' ? JSON.stringify(cell) : harmless(String(cell), type)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Spreadsheets execute texts that begin like a formula, and participants choose names and details. */
function harmless(text: string, type: CellType): string {
  return type === 'text' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

function timeOf(cell: Cell): string {
  return formatInstant(Number(cell))
}
