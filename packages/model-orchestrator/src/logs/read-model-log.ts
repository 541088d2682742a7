import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { wait, whenMissing } from '@crunch/local-processes'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'
import { isFolderName } from '../models-file/models-file.ts'
import { RUN_ENDED, type RunLogLine } from './run-log.ts'

const POLL_MS = 200
const CHUNK_BYTES = 256 * 1024
/** The orchestrator writes shorter lines, so a file with a longer one is not its own. */
const MAX_LINE_CHARACTERS = 1024 * 1024

/** A line of a model's log, with its run and its time as ISO 8601 text. */
export interface LoggedLine extends RunLogLine {
  readonly timestamp: string
  readonly deploymentId: string
}

/** Selects a part of a model's log. */
export interface ModelLogRequest {
  readonly logsDirectory: string
  readonly modelId: string
  /** The run; the newest unless given. */
  readonly deploymentId?: string
  /** Also yields new lines until `signal` aborts, across restarts of the model unless a run is given. */
  readonly follow?: boolean
  /** How many of the existing lines to yield, the newest; all unless given. */
  readonly lines?: number
  readonly signal?: AbortSignal
}

const lineSchema = z.object({
  timestamp: z.string(),
  message: z.string(),
  error: z.boolean(),
  emitter: z.string().transform((emitter): RunLogLine['emitter'] => {
    return emitter === 'user-code' || emitter === 'builder' ? emitter : 'service'
  }),
})

/**
 * Yields the stored lines of a model's run, oldest first. Throws `LOG_UNKNOWN` if there is no such log. When following
 * a model that was never started, it waits for the first run instead.
 */
export async function* readModelLog(request: ModelLogRequest): AsyncGenerator<LoggedLine, void> {
  const { logsDirectory, modelId, deploymentId, follow = false, signal } = request
  if (!isFolderName(modelId) || (deploymentId !== undefined && !isFolderName(deploymentId))) {
    throw new OrchestratorError('LOG_UNKNOWN', `"${deploymentId ?? modelId}" is not the id of a model or a run`)
  }
  const folder = join(resolve(logsDirectory), modelId)
  let lines = request.lines ?? Number.POSITIVE_INFINITY
  let run = deploymentId ?? (await newestRun(folder))
  if (run === null && !follow) throw noLog(folder, modelId)
  for (;;) {
    if (run !== null) {
      const isOver = async () => deploymentId === undefined && (await newestRun(folder)) !== run
      yield* readRun(folder, run, { follow, lines, signal, isOver })
      if (!follow || deploymentId !== undefined) return
      lines = Number.POSITIVE_INFINITY
    }
    const last: string | null = run
    while (run === last) {
      if (!(await wait(POLL_MS, signal))) return
      run = await newestRun(folder)
    }
  }
}

interface RunReading {
  readonly follow: boolean
  readonly lines: number
  readonly signal: AbortSignal | undefined
  /** Whether a newer run exists, so that this one will hardly get more lines. */
  readonly isOver: () => Promise<boolean>
}

async function* readRun(folder: string, run: string, reading: RunReading): AsyncGenerator<LoggedLine, void> {
  const path = join(folder, `${run}.ndjson`)
  let file = await openLog(path)
  try {
    const older = await readRotated(join(folder, `${run}.1.ndjson`), file)
    const parse = createParser(run)
    const begin = [...parse(older), ...(await readNew(file, parse))]
    if (begin.length === 0 && older === '' && file.handle === null && !reading.follow) throw noLog(folder, run)
    yield* begin.slice(Math.max(0, begin.length - reading.lines))
    let isEnded = begin.some(isEnd)
    while (reading.follow && !isEnded) {
      const isOver = await reading.isOver()
      if (!(await wait(POLL_MS, reading.signal))) return
      const isRotated = await wasReplaced(path, file)
      const fresh = await readNew(file, parse)
      if (isRotated) {
        await file.handle?.close()
        file = await openLog(path)
        fresh.push(...(await readNew(file, parse)))
      }
      yield* fresh
      isEnded = isOver || fresh.some(isEnd)
    }
  } finally {
    await file.handle?.close()
  }
}

interface OpenLog {
  /** Null while the file does not exist. */
  readonly handle: FileHandle | null
  readonly inode: number | null
  position: number
  readonly decoder: StringDecoder
}

async function openLog(path: string): Promise<OpenLog> {
  const begin = { position: 0, decoder: new StringDecoder('utf8') }
  const handle = await open(path, 'r').catch(whenMissing(null))
  return { ...begin, handle, inode: handle === null ? null : (await handle.stat()).ino }
}

/** The older half of a log; empty if the file that was just opened has meanwhile been rotated to it. */
async function readRotated(path: string, newer: OpenLog): Promise<string> {
  const older = await openLog(path)
  if (older.handle === null) return ''
  try {
    return older.inode === newer.inode ? '' : await older.handle.readFile('utf8')
  } finally {
    await older.handle.close()
  }
}

/** Rotation renames the file, so the open one may have become the older half. */
async function wasReplaced(path: string, file: OpenLog): Promise<boolean> {
  // Missing: between the rename and the creation of the new file, or before the first line.
  return stat(path).then(({ ino }) => ino !== file.inode, whenMissing(false))
}

async function readNew(file: OpenLog, parse: (text: string) => LoggedLine[]): Promise<LoggedLine[]> {
  const lines: LoggedLine[] = []
  if (file.handle === null) return lines
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    const { bytesRead } = await file.handle.read(buffer, 0, CHUNK_BYTES, file.position)
    if (bytesRead === 0) return lines
    file.position += bytesRead
    lines.push(...parse(file.decoder.write(buffer.subarray(0, bytesRead))))
  }
}

/** Splits text that arrives in pieces into complete lines. */
function createParser(deploymentId: string): (text: string) => LoggedLine[] {
  let rest = ''
  return (text) => {
    const rows = (rest + text).split('\n')
    rest = (rows.pop() ?? '').slice(0, MAX_LINE_CHARACTERS)
    return rows.filter((row) => row !== '').map((row) => toLine(row, deploymentId))
  }
}

function toLine(row: string, deploymentId: string): LoggedLine {
  try {
    return { ...lineSchema.parse(JSON.parse(row)), deploymentId }
  } catch {
    // A crash cut the line off; the rest may still explain the crash.
    return { timestamp: '', message: row, error: true, emitter: 'service', deploymentId }
  }
}

function isEnd({ emitter, message }: LoggedLine): boolean {
  return emitter === 'service' && message.startsWith(RUN_ENDED)
}

/** Deployment ids of one model sort by time. */
async function newestRun(folder: string): Promise<string | null> {
  const names = (await readdir(folder).catch(whenMissing<string[]>([]))).filter((name) => name.endsWith('.ndjson'))
  const runs = names.map((name) => name.replace(/(\.1)?\.ndjson$/, '')).sort()
  return runs.at(-1) ?? null
}

function noLog(folder: string, id: string): OrchestratorError {
  const problem = `there is no log of ${id} in ${folder}; the model was never started, or newer runs replaced this one`
  return new OrchestratorError('LOG_UNKNOWN', problem)
}
