import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MAX_MESSAGE_BYTES } from './limits.ts'

/** Files that are read at the same time; the others wait. */
const READERS = 2
const MAX_WAITING = 10_000
/** For a reader to start. */
const START_TIMEOUT_MS = 20_000
const READ_TIMEOUT_MS = 1_000
const READ_TIMEOUT_MS_A_MEBIBYTE = 200
const MAX_HEAP_MEBIBYTES = 512

/** What one file may hold at most. Taking over the rows of a file that is full costs this process a tenth of a second. */
const limits = { maxCells: 250_000, maxCharacters: 16 * 1024 * 1024, maxPageBytes: MAX_MESSAGE_BYTES }

/** Less than the most that a file may hold. */
export type ParquetLimits = Partial<Pick<typeof limits, 'maxCells' | 'maxCharacters'>>

interface Job {
  readonly bytes: Uint8Array
  readonly limits: typeof limits
  readonly resolve: (rows: readonly unknown[]) => void
  readonly reject: (problem: Error) => void
}

type Reply = 'ready' | { readonly rows: readonly unknown[] } | { readonly problem: string }

const waiting: Job[] = []

/**
 * Reads a Parquet file as its rows: objects by name of column. Uncompressed and snappy files are read, as pyarrow writes them;
 * instants become ISO texts, integers beyond 2^53 bigints, and an index that pandas stored is a column like others. Files are
 * read in processes of their own, which start with the first one and end with this process: what a file claims about its
 * size cannot take the memory of this one.
 *
 * Rejects when the file is none, holds more than `lower` or 250,000 cells, takes too much memory or longer than a second and 200 ms a MiB.
 */
export function readParquetRows(bytes: Uint8Array, lower: ParquetLimits = {}): Promise<readonly unknown[]> {
  if (waiting.length >= MAX_WAITING)
    return Promise.reject(new Error(`${MAX_WAITING} Parquet files are waiting already`))
  return new Promise((resolve, reject) => {
    waiting.push({ bytes, limits: { ...limits, ...lower }, resolve, reject })
    readers.find(({ isIdle }) => isIdle)?.takeNext()
  })
}

const notStarted = 'the process that reads it did not start'

/** One process at a time; another one when it has ended. */
class ParquetReader {
  #child: ChildProcess | undefined
  #isReady = false
  #job: Job | undefined
  #timer: NodeJS.Timeout | undefined

  get isIdle(): boolean {
    return this.#job === undefined
  }

  takeNext(): void {
    this.#job = waiting.shift()
    if (this.#job === undefined) return
    if (this.#child === undefined) this.#start()
    else if (this.#isReady) this.#send(this.#child, this.#job)
  }

  #start(): void {
    const child = fork(fileURLToPath(new URL('./parquet-process.js', import.meta.url)), {
      // No secret of this process is within the reach of somebody else's bytes.
      env: {},
      execArgv: [`--max-old-space-size=${MAX_HEAP_MEBIBYTES}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child = child
    this.#limit(child, START_TIMEOUT_MS, notStarted)
    child.on('message', (reply: Reply) => this.#receive(child, reply))
    child.on('error', (error) => this.#end(child, error.message))
    child.on('exit', () => this.#end(child, this.#isReady ? 'reading it takes too much memory' : notStarted))
    // Only work that is under way keeps this process alive, by its timer.
    child.unref()
    child.channel?.unref()
  }

  #receive(child: ChildProcess, reply: Reply): void {
    const job = this.#job
    if (this.#child !== child || job === undefined) return
    if (reply === 'ready') {
      this.#isReady = true
      this.#send(child, job)
      return
    }
    clearTimeout(this.#timer)
    if ('rows' in reply) job.resolve(reply.rows)
    else job.reject(new Error(reply.problem))
    this.takeNext()
  }

  #send(child: ChildProcess, { bytes, limits }: Job): void {
    const timeoutMs = Math.round(READ_TIMEOUT_MS + (READ_TIMEOUT_MS_A_MEBIBYTE * bytes.length) / 1024 / 1024)
    this.#limit(child, timeoutMs, `reading it takes longer than ${timeoutMs} ms`)
    child.send({ bytes, limits })
  }

  #limit(child: ChildProcess, timeoutMs: number, problem: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end(child, problem), timeoutMs)
  }

  #end(child: ChildProcess, problem: string): void {
    if (this.#child !== child) return
    clearTimeout(this.#timer)
    this.#child = undefined
    this.#isReady = false
    child.kill('SIGKILL')
    this.#job?.reject(new Error(problem))
    this.takeNext()
  }
}

const readers: readonly ParquetReader[] = Array.from({ length: READERS }, () => new ParquetReader())
