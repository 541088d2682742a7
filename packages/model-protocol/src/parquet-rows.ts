import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MAX_MESSAGE_BYTES } from './limits.ts'

/** How many files are read at the same time; others wait. */
const READERS = 2
const MAX_WAITING = 10_000
/** How long the start of a reader may take. */
const START_TIMEOUT_MS = 20_000
const READ_TIMEOUT_MS = 1_000
const READ_TIMEOUT_MS_A_MEBIBYTE = 200
const MAX_HEAP_MEBIBYTES = 512

/** The limits of one file. Receiving the rows of a file of this size takes a tenth of a second of this process. */
const limits = { maxCells: 250_000, maxCharacters: 16 * 1024 * 1024, maxPageBytes: MAX_MESSAGE_BYTES }

/** Lower limits for one file. */
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
 * Reads the rows of a Parquet file as objects by column name. Supports uncompressed and snappy files, as pyarrow writes them.
 * Timestamps become ISO texts, integers beyond 2^53 bigints, and an index stored by pandas is an ordinary column. Files are
 * read in separate processes, which start with the first file and end with this process, so that a file with a false size cannot
 * exhaust the memory of this process.
 *
 * Rejects if the file is invalid, has more than 250,000 cells or exceeds `lower`, needs too much memory, or takes longer than a second
 * plus 200 ms per MiB.
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

/** Runs one process at a time, and replaces it when it has ended. */
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
      // No secrets in the environment: the process reads untrusted bytes.
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
    // An idle reader must not keep this process alive; a running job does so by its timer.
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
