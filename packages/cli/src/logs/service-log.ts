import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { parseLogLine } from '@crunch/local-processes'
import { createStream, type RotatingFileStream } from 'rotating-file-stream'

/** The size of a service's log: at most `files` files of about `bytes` each. */
export interface LogLimits {
  readonly bytes: number
  readonly files: number
}

export const defaultLogLimits: LogLimits = { bytes: 10 * 1024 * 1024, files: 5 }

/** Longer lines are truncated. */
const maxLineLength = 64 * 1024
/** How much may wait in memory for a slow disk. Beyond it, lines are dropped and counted. */
const maxPendingBytes = 8 * 1024 * 1024
const reopenAfterMs = 5_000

/** The log file of one service: JSON lines, rotated. A full or broken disk loses lines, but never ends the service. */
export class ServiceLog {
  readonly #directory: string
  readonly #service: string
  readonly #limits: LogLimits
  #stream: RotatingFileStream | undefined
  #brokenAtMs = Number.NEGATIVE_INFINITY
  #droppedLines = 0

  constructor(directory: string, service: string, limits: LogLimits = defaultLogLimits) {
    this.#directory = directory
    this.#service = service
    this.#limits = limits
    mkdirSync(directory, { recursive: true })
  }

  /** Writes one line of a service's output. Text that is not JSON becomes an entry: info, or a warning if from stderr. */
  writeLine(line: string, source: 'stdout' | 'stderr'): void {
    const receivedAt = Date.now()
    const entry = line.length <= maxLineLength ? parseLogLine(line, receivedAt) : undefined
    if (entry !== undefined && parseLogLine(line) !== undefined) this.#write(line)
    else if (entry !== undefined) this.write(entry.level, entry.msg, entry.fields)
    else this.write(source === 'stderr' ? 40 : 30, line.slice(0, maxLineLength))
  }

  /** Writes an entry of the supervisor itself. */
  write(level: number, msg: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#write(JSON.stringify({ level, time: Date.now(), msg, ...fields }))
  }

  async close(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    if (stream === undefined || stream.destroyed) return
    await new Promise<void>((resolve) => {
      stream.once('close', () => resolve())
      stream.end()
    })
  }

  #write(line: string): void {
    const stream = this.#open()
    if (stream === undefined || stream.writableLength > maxPendingBytes) {
      this.#droppedLines += 1
      return
    }
    if (this.#droppedLines > 0) {
      const msg = `${this.#droppedLines} log lines were dropped: the disk is full, broken or too slow`
      this.#droppedLines = 0
      stream.write(`${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`)
    }
    stream.write(`${line}\n`)
  }

  #open(): RotatingFileStream | undefined {
    if (this.#stream !== undefined) return this.#stream
    if (performance.now() - this.#brokenAtMs < reopenAfterMs) return undefined
    // The argument is the number of an older file, or null for the current one.
    const nameFile = (index: number | Date | null): string => logFileName(this.#service, Number(index ?? 0))
    const stream = createStream(nameFile, {
      path: this.#directory,
      size: `${this.#limits.bytes}B`,
      rotate: this.#limits.files - 1,
    })
    stream.on('error', () => {
      // A later line tries again, and logs how many lines were lost.
      this.#droppedLines += 1
      this.#brokenAtMs = performance.now()
      if (this.#stream === stream) this.#stream = undefined
    })
    // A failed write or a killed process leaves an incomplete line; a new entry must start on its own line.
    if (endsWithinLine(join(this.#directory, logFileName(this.#service)))) stream.write('\n')
    this.#stream = stream
    return stream
  }
}

function endsWithinLine(path: string): boolean {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const last = Buffer.alloc(1)
      return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
    } finally {
      closeSync(file)
    }
  } catch {
    // The file does not exist yet, or the disk is broken. Then the stream reports the error, and the service continues.
    return false
  }
}

/** The name of a log file: `predict.log`; older files are `predict.1.log`, `predict.2.log`, ... */
export function logFileName(service: string, index = 0): string {
  return index === 0 ? `${service}.log` : `${service}.${index}.log`
}
