// The child process of `parquet-rows.ts`: reads Parquet files, one at a time, and sends their rows. A Parquet file may
// claim any size in a few bytes, so it is read in a process that may run out of memory or time.
// Plain JavaScript, because Node loads this file directly, both from the sources and from the built package.

import { writeFileSync } from 'node:fs'
import { parquetMetadata, parquetReadObjects, snappyUncompress } from 'hyparquet'

// If memory runs out, Linux should kill this process first. Some containers do not allow this setting.
try {
  if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000')
} catch (error) {
  process.emitWarning(error)
}

process.on('disconnect', () => process.exit())
process.on('message', ({ bytes, limits }) => {
  readRows(bytes, limits).then(
    (rows) => process.send({ rows }),
    (error) => process.send({ problem: error instanceof Error ? error.message : String(error) }),
  )
})
process.send('ready')

async function readRows(bytes, limits) {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const metadata = parquetMetadata(file, { geoparquet: false })
  const columns = metadata.row_groups[0]?.columns.length ?? 0
  if (Number(metadata.num_rows) * Math.max(1, columns) > limits.maxCells) {
    throw new Error(`${metadata.num_rows} rows of ${columns} columns are more than ${limits.maxCells} cells`)
  }
  const rows = await parquetReadObjects({
    file: { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
    metadata,
    geoparquet: false,
    compressors: { SNAPPY: (input, length) => uncompress(input, length, limits.maxPageBytes) },
  })
  const count = { cells: 0, characters: 0 }
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainCell(name, value, count, limits)])),
  )
}

function uncompress(input, length, maxPageBytes) {
  if (length > maxPageBytes) throw new Error(`a page of ${length} bytes is larger than the limit of ${maxPageBytes}`)
  const output = new Uint8Array(length)
  snappyUncompress(input, output)
  return output
}

/** Converts a cell to a JSON value, except that NaN and the infinities stay, and integers beyond 2^53 become bigints. */
function plainCell(name, value, count, limits) {
  count.cells += 1
  if (count.cells > limits.maxCells) throw new Error(`there are more than ${limits.maxCells} cells`)
  switch (typeof value) {
    case 'undefined':
      return null
    case 'string':
      count.characters += value.length
      if (count.characters > limits.maxCharacters) {
        throw new Error(`the texts are longer than ${limits.maxCharacters} characters`)
      }
      return value
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'object':
      return value === null ? null : plainObject(name, value, count, limits)
    default:
      return value
  }
}

function plainObject(name, value, count, limits) {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) throw new Error(`column "${name}" contains bytes, which JSON cannot express`)
  const plain = (item) => plainCell(name, item, count, limits)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value, plain)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
