import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Rows `[from, to)` of one row group. */
interface Part {
  readonly group: number
  readonly from: number
  readonly to: number
}

interface Request {
  readonly id: number
  readonly path: string
  /** The size of the file. */
  readonly byteLength: number
  readonly part?: Part
  readonly close?: true
}

/** A problem of a file, as the process reports it. */
interface Problem {
  readonly message: string
  readonly code?: string
  readonly syscall?: string
  readonly fix?: string
}

/** A file that cannot be read, with the system's error code or a fix, if known. */
export class ParquetProblem extends Error {
  readonly code: string | undefined
  readonly syscall: string | undefined
  readonly fix: string | undefined

  constructor({ message, code, syscall, fix }: Problem) {
    super(message)
    this.code = code
    this.syscall = syscall
    this.fix = fix
  }
}

/** An open file. Parts may be read in any order; consecutive reads of one row group load it once. */
export interface OpenParquet {
  readonly columns: readonly string[]
  /** Number of rows of each row group. */
  readonly groupRows: readonly number[]
  /** The cells of some rows, one list per column. */
  read(part: Part): Promise<readonly (readonly unknown[])[]>
  close(): Promise<void>
}

const startTimeoutMs = 20_000
/** Many times the duration for a valid row group; only a damaged file takes as long. */
const readTimeoutMs = 3_000
const readTimeoutMsAMebibyte = 1_000
const maxHeapMebibytes = 1_024

interface Job {
  readonly request: Request
  readonly resolve: (reply: Reply) => void
  readonly reject: (problem: Error) => void
}

interface Reply {
  readonly columns?: readonly string[]
  readonly groupRows?: readonly number[]
  readonly cells?: readonly (readonly unknown[])[]
}

let lastId = 0

/** Opens a Parquet file in the reader process, which starts with the first file. Rejects with a ParquetProblem. */
export async function openParquet(path: string, byteLength: number): Promise<OpenParquet> {
  lastId += 1
  const file = { id: lastId, path, byteLength }
  const { columns = [], groupRows = [] } = await ask(file)
  return {
    columns,
    groupRows,
    read: async (part) => (await ask({ ...file, part })).cells ?? [],
    async close() {
      // If the process has ended since, there is nothing to close.
      if (reader !== undefined) await ask({ ...file, close: true })
    },
  }
}

const waiting: Job[] = []
let reader: ChildProcess | undefined
let isReady = false
let current: Job | undefined
let timer: NodeJS.Timeout | undefined

function ask(request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    waiting.push({ request, resolve, reject })
    if (current === undefined) takeNext()
  })
}

function takeNext(): void {
  current = waiting.shift()
  if (current === undefined) return
  if (reader === undefined) reader = start()
  else if (isReady) send(reader, current)
}

function start(): ChildProcess {
  const child = fork(fileURLToPath(new URL('./parquet-process.js', import.meta.url)), {
    env: {},
    execArgv: [`--max-old-space-size=${maxHeapMebibytes}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  limit(child, startTimeoutMs, 'the process that reads it did not start')
  child.on('message', (reply: 'ready' | { readonly problem: Problem } | Reply) => receive(child, reply))
  child.on('error', (error) => end(child, error.message))
  child.on('exit', () => end(child, isReady ? 'reading it takes too much memory' : 'the process that reads it ended'))
  // Only the timer of a running request keeps this process alive.
  child.unref()
  child.channel?.unref()
  return child
}

function receive(child: ChildProcess, reply: 'ready' | { readonly problem: Problem } | Reply): void {
  const job = current
  if (reader !== child || job === undefined) return
  if (reply === 'ready') {
    isReady = true
    send(child, job)
    return
  }
  clearTimeout(timer)
  if ('problem' in reply) job.reject(new ParquetProblem(reply.problem))
  else job.resolve(reply)
  takeNext()
}

function send(child: ChildProcess, { request }: Job): void {
  const timeoutMs = Math.round(readTimeoutMs + (readTimeoutMsAMebibyte * request.byteLength) / 1024 / 1024)
  limit(child, timeoutMs, `reading it takes longer than ${timeoutMs} ms`)
  child.send(request)
}

function limit(child: ChildProcess, timeoutMs: number, problem: string): void {
  clearTimeout(timer)
  timer = setTimeout(() => end(child, problem), timeoutMs)
}

/** The next request starts another process, which reopens the requested file. */
function end(child: ChildProcess, message: string): void {
  if (reader !== child) return
  clearTimeout(timer)
  reader = undefined
  isReady = false
  child.kill('SIGKILL')
  current?.reject(new ParquetProblem({ message }))
  takeNext()
}
