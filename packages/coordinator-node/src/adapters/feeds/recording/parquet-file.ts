import { type OpenParquet, openParquet, ParquetProblem } from './parquet-reader.ts'
import { checkFile, readError } from './read-bytes.ts'
import { cut, recordingError } from './recording-error.ts'

/** The cells of one row, in the order of the columns. */
export type ParquetCells = readonly unknown[]

/** An open Parquet file. */
export interface ParquetFile {
  /** The names of its columns, in order. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Its rows, at most 10,000 at a time. */
  pages(): AsyncGenerator<readonly ParquetCells[]>
  close(): Promise<void>
}

const pageRows = 10_000

/** Opens a Parquet file. Opening and reading reject with RECORDING_INVALID if it is not a Parquet file or is damaged. */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  const byteLength = await checkFile(path)
  const file = await sound(path, () => openParquet(path, byteLength))
  return {
    columns: file.columns,
    rowCount: file.groupRows.reduce((sum, count) => sum + count, 0),
    pages: () => readPages(path, file),
    close: () => sound(path, () => file.close()),
  }
}

async function* readPages(path: string, file: OpenParquet): AsyncGenerator<readonly ParquetCells[]> {
  for (const [group, rowCount] of file.groupRows.entries()) {
    for (let from = 0; from < rowCount; from += pageRows) {
      const to = Math.min(from + pageRows, rowCount)
      const columns = await sound(path, () => file.read({ group, from, to }))
      yield Array.from({ length: to - from }, (_, row) => columns.map((column) => column[row]))
    }
  }
}

/** Converts a problem while reading into an error about the file. */
async function sound<Value>(path: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof ParquetProblem)) throw error
    const { message, code, syscall, fix = 'Copy or write it again.' } = error
    if (code !== undefined && syscall !== undefined) throw readError(path, error)
    throw recordingError(path, `is not a Parquet file that can be read (${cut(message)})`, fix, error)
  }
}
