import { readInstant } from '../../../../domain/instant-text.ts'
import { findTimeColumn } from '../record-builder.ts'

/** Format of a file of separated values. */
export interface CsvDialect {
  readonly delimiter: ',' | ';' | '\t'
  /** Whether there are blanks around the separators. */
  readonly trim: boolean
}

/** The dialect of a file, from its first line: commas, else semicolons, else tabs. */
export function dialectOf(firstLine: string): CsvDialect {
  const unquoted = firstLine.replace(/"(?:[^"]|"")*"/g, '""')
  const delimiter = ([',', ';', '\t'] as const).find((it) => unquoted.includes(it)) ?? ','
  const trim = unquoted.split(delimiter).some((cell) => /^ | $/.test(cell))
  return { delimiter, trim }
}

/** Whether a first line has values instead of column names: a time or only numbers, and no name of a time column. */
export function isDataLine(cells: readonly string[]): boolean {
  if (findTimeColumn(cells) !== undefined) return false
  const filled = cells.filter((cell) => cell !== '')
  const hasTime = filled.some((cell) => readInstant(cell).at !== undefined)
  return hasTime || (filled.length > 0 && filled.every((cell) => Number.isFinite(Number(cell))))
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d]

/** Converts all line ends to line feeds, including those in quotes. Call it with the chunks of one file in order. */
export function createLineEndings(): (chunk: Buffer) => Buffer {
  let endsInReturn = false
  return (chunk) => {
    if (!endsInReturn && !chunk.includes(carriageReturn)) return chunk
    const unified = Buffer.allocUnsafe(chunk.length)
    let length = 0
    for (const byte of chunk) {
      // The preceding carriage return was converted already.
      const isSecondHalf = endsInReturn && byte === lineFeed
      endsInReturn = byte === carriageReturn
      if (isSecondHalf) continue
      unified[length] = endsInReturn ? lineFeed : byte
      length += 1
    }
    return unified.subarray(0, length)
  }
}
