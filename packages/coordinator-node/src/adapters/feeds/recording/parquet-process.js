// The program of `parquet-reader.ts`: reads parts of Parquet files. A damaged file may claim a size that keeps a reader busy
// forever or fills its memory; in a process of its own that does no harm.
// Plain JavaScript, because Node loads it directly, both from the sources and from the built package.

import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import * as zlib from 'node:zlib'
import { parquetMetadataAsync, parquetRead, parquetSchema, snappyUncompress } from 'hyparquet'

// When memory is short, the kernel should kill this process first. Some containers do not allow this setting.
try {
  if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000')
} catch (error) {
  process.emitWarning(error)
}

// A row group is read as a whole, so one that claims more than this is refused beforehand.
const maxGroupRows = 1_200_000
const maxGroupCells = 24_000_000
const maxPageBytes = 256 * 1024 * 1024

/** Open files by the reader's number: the file, its metadata, and the row group read last. */
const opened = new Map()

process.on('disconnect', () => process.exit())
process.on('message', (request) => {
  answer(request).then(
    (reply) => process.send(reply),
    (error) => process.send({ problem: problemOf(error) }),
  )
})
process.send('ready')

async function answer({ id, path, part, close }) {
  if (close) {
    await opened.get(id)?.handle.close()
    opened.delete(id)
    return {}
  }
  if (!opened.has(id)) opened.set(id, await openFile(path))
  const file = opened.get(id)
  if (part === undefined) return { columns: file.columns, groupRows: file.groupRows }
  if (file.group?.index !== part.group) {
    file.group = undefined
    file.group = { index: part.group, columns: await readGroup(file, part.group) }
  }
  return { cells: file.group.columns.map((column) => column.slice(part.from, part.to)) }
}

async function openFile(path) {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const file = { byteLength: size, slice: (start, end = size) => readRange(handle, start, end) }
    const metadata = await parquetMetadataAsync(file, { geoparquet: false })
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
    const groupRows = metadata.row_groups.map((group) => Number(group.num_rows))
    const rowCount = groupRows.reduce((sum, count) => sum + count, 0)
    if (rowCount !== Number(metadata.num_rows)) throw new Error('its row groups do not add up to its rows')
    return { handle, file, metadata, columns, groupRows }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readRange(handle, start, end) {
  const bytes = new Uint8Array(Math.max(0, end - start))
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
  if (bytesRead < bytes.length) throw new Error('it ends before its last column')
  return bytes.buffer
}

async function readGroup({ file, metadata, columns, groupRows }, index) {
  const rowCount = groupRows[index]
  if (!(rowCount >= 0 && rowCount <= maxGroupRows && rowCount * columns.length <= maxGroupCells)) {
    throw Object.assign(new Error(`a row group of ${rowCount} rows and ${columns.length} columns is too large`), {
      fix: 'Write it again with row groups of 100,000 rows.',
    })
  }
  const rowStart = groupRows.slice(0, index).reduce((sum, count) => sum + count, 0)
  const found = new Map(columns.map((name) => [name, []]))
  await parquetRead({
    file,
    metadata,
    rowStart,
    rowEnd: rowStart + rowCount,
    compressors,
    geoparquet: false,
    onChunk: ({ columnName, columnData, rowStart: at }) => {
      const column = found.get(columnName)
      for (let place = 0; place < columnData.length; place += 1) column[at - rowStart + place] = columnData[place]
    },
  })
  for (const [name, column] of found) {
    if (column.length < rowCount) throw new Error(`column "${name}" ends after ${column.length} rows of ${rowCount}`)
  }
  return [...found.values()].map((column) => column.slice(0, rowCount).map((cell) => cell ?? null))
}

const compressors = {
  SNAPPY(input, length) {
    const output = new Uint8Array(checkPage(length))
    snappyUncompress(input, output)
    return output
  },
  GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: checkPage(length) + 1 }),
  BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: checkPage(length) + 1 }),
  // Node 20 does not have it.
  ...(zlib.zstdDecompressSync === undefined
    ? { ZSTD: refused('zstd') }
    : { ZSTD: (input, length) => zlib.zstdDecompressSync(input, { maxOutputLength: checkPage(length) + 1 }) }),
  LZ4: refused('lz4'),
  LZ4_RAW: refused('lz4'),
  LZO: refused('lzo'),
}

function refused(codec) {
  return () => {
    throw Object.assign(new Error(`the compression ${codec} is not read here`), {
      fix: 'Write it again with the compression snappy, gzip or none.',
    })
  }
}

function checkPage(length) {
  if (length >= 0 && length <= maxPageBytes) return length
  throw new Error(`a page of ${length} bytes is larger than the limit of ${maxPageBytes}`)
}

function problemOf(error) {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, code, syscall, fix } = error
  return { message, code, syscall, fix }
}
