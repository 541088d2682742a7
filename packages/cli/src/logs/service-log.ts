import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { createStream, type RotatingFileStream } from 'rotating-file-stream'
import { parseLogLine } from './log-entry.ts'

/** How much of its past a service keeps: at most `files` files of about `bytes` each. */
export interface LogLimits {
  readonly bytes: number
  readonly files: number
}

export const defaultLogLimits: LogLimits = { bytes: 10 * 1024 * 1024, files: 5 }

/** A longer line is cut; it stays one line. */
const maxLineLength = 64 * 1024
/** What may wait in memory for a slow disk; beyond it lines are dropped and counted. */
const maxPendingBytes = 8 * 1024 * 1024
const reopenAfterMs = 5_000

/** The log file of one service: JSON lines, rotated. A full or broken disk costs lines, never the service. */
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

  /** Writes one line of a service's output; text that is not JSON is wrapped, as info or, from stderr, as a warning. */
  writeLine(line: string, source: 'stdout' | 'stderr'): void {
    const receivedAt = Date.now()
    const entry = line.length <= maxLineLength ? parseLogLine(line, receivedAt) : undefined
    if (entry !== undefined && parseLogLine(line) !== undefined) this.#write(line)
    else if (entry !== undefined) this.write(entry.level, entry.msg, entry.fields)
    else this.write(source === 'stderr' ? 40 : 30, line.slice(0, maxLineLength))
  }

  /** Writes a line of the supervisor's own. */
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
    // Called with the number of an older file, or with null for the one that is written.
    const nameFile = (index: number | Date | null): string => logFileName(this.#service, Number(index ?? 0))
    const stream = createStream(nameFile, {
      path: this.#directory,
      size: `${this.#limits.bytes}B`,
      rotate: this.#limits.files - 1,
    })
    stream.on('error', () => {
      // The next line after a while tries again, and says how many were lost.
      this.#droppedLines += 1
      this.#brokenAtMs = performance.now()
      if (this.#stream === stream) this.#stream = undefined
    })
    // A write that failed, or a process that was killed, has left half a line; the next one is a line by itself.
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
    // There is no file yet, or the disk is broken: then the stream says so, and the service goes on.
    return false
  }
}

/** The name of a log file: `predict.log`, and for older ones `predict.1.log`, the higher the older. */
export function logFileName(service: string, index = 0): string {
  return index === 0 ? `${service}.log` : `${service}.${index}.log`
}
