import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Cell, CellType, ExportTable } from './export-table.ts'

const groupRows = 50_000
/** Rows per row group. Small, because a group is kept in memory until it is written and answers may be long. */
const groupCharacters = 32 * 1024 * 1024

/** The bytes of a Parquet file of a table, one row group at a time. */
export async function* parquetChunks({ columns, pages }: ExportTable): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter()
  const schema = [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)]
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'crunch' })
  const taken = (): Uint8Array => {
    const chunk = bytes.getBytes().slice()
    // The counter of the file's bytes continues.
    bytes.index = 0
    return chunk
  }
  let waiting: (readonly unknown[])[] = []
  let characters = 0
  const writeGroup = (): void => {
    const columnData = columns.map(({ name }, index) => ({ name, data: waiting.map((row) => row[index]) }))
    // Synchronous: the writer keeps its bytes in memory.
    void writer.write({ columnData, rowGroupSize: groupRows })
    waiting = []
    characters = 0
  }
  for await (const rows of pages()) {
    for (const row of rows) {
      const cells = row.map((cell, index) => parquetCell(cell, columns[index]?.type ?? 'text'))
      for (const cell of cells) if (typeof cell === 'string') characters += cell.length
      waiting.push(cells)
    }
    if (waiting.length < groupRows && characters < groupCharacters) continue
    writeGroup()
    yield taken()
  }
  writeGroup()
  void writer.finish()
  yield taken()
}

function elementOf({ name, type }: { readonly name: string; readonly type: CellType }): SchemaElement {
  const optional = { name, repetition_type: 'OPTIONAL' } as const
  switch (type) {
    case 'number':
      return { ...optional, type: 'DOUBLE' }
    case 'integer':
      return { ...optional, type: 'INT64' }
    case 'time':
      return {
        ...{ ...optional, type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    default:
      return { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
  }
}

function parquetCell(cell: Cell, type: CellType): unknown {
  if (cell === null) return null
  if (type === 'time') return BigInt(Number(cell)) * 1_000n
  if (type === 'integer') return BigInt(Number(cell))
  if (type === 'number') return Number(cell)
  return type === 'json' ? JSON.stringify(cell) : String(cell)
}
