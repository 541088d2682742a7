import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import type { OrchestratorLog } from '../log.ts'

/** How much of a model's output is kept. A model's logs take at most `runs` × 2 × `fileBytes` on disk. */
export interface LogLimits {
  /** A file that reaches this size is renamed to `.1.ndjson`, replacing the previous one. */
  readonly fileBytes: number
  /** How many runs of a model keep their files, the newest. */
  readonly runs: number
  /** Average output of one run that is kept; more is dropped. */
  readonly bytesPerSecond: number
  /** Burst above that average that is kept. */
  readonly burstBytes: number
  /** Average output that one run may print; a model that prints more fails and is stopped. */
  readonly floodBytesPerSecond: number
  /** Burst above that average that it may print. */
  readonly floodBytes: number
}

export const DEFAULT_LOG_LIMITS: LogLimits = {
  fileBytes: 5 * 1024 * 1024,
  runs: 10,
  bytesPerSecond: 256 * 1024,
  burstBytes: 4 * 1024 * 1024,
  floodBytesPerSecond: 4 * 1024 * 1024,
  floodBytes: 32 * 1024 * 1024,
}

/** The beginning of the last line of a run. */
export const RUN_ENDED = 'run ended: '

/** One line of a run: from the model (`user-code`), about it (`service`), or of its preparation (`builder`). */
export interface RunLogLine {
  readonly message: string
  readonly error: boolean
  readonly emitter: 'user-code' | 'service' | 'builder'
}

/** Enough error lines to show an author why a start failed. */
const TAIL_LINES = 20
const TAIL_CHARACTERS = 1_000
/** Enough for the two tracebacks of a failed import. */
const KEPT_LINES = 100

/** The log of one run: NDJSON lines `{timestamp, message, error, emitter}`. */
export interface RunLog {
  /** Resolves when the lines are written. Never rejects: a full disk is logged once and ends the log, not the model. */
  append(lines: readonly RunLogLine[]): Promise<void>
  /** The newest lines of stderr, at most 1,000 characters. */
  errorTail(): string
  /** The newest 100 lines of stderr, oldest first; at most the last 1,000 characters of each. */
  errorLines(): readonly string[]
  close(): Promise<void>
}

/** Opens `{directory}/{modelId}/{deploymentId}.ndjson`; without a directory it only keeps the tail in memory. */
export function openRunLog(input: {
  readonly directory: string | undefined
  readonly modelId: string
  readonly deploymentId: string
  readonly limits: LogLimits
  readonly log: OrchestratorLog
}): RunLog {
  const { directory, modelId, deploymentId, limits, log } = input
  const tail: string[] = []
  const folder = directory === undefined ? null : join(directory, modelId)
  let file: FileHandle | null = null
  let fileBytes = 0
  let usable = folder !== null
  let work: Promise<void> = folder === null ? Promise.resolve() : guarded(() => begin(folder))

  async function guarded(step: () => Promise<void>): Promise<void> {
    if (!usable) return
    try {
      await step()
    } catch (error) {
      usable = false
      log.error('cannot write the log of a model; its output is dropped', { modelId, reason: errorText(error) })
    }
  }

  async function begin(target: string): Promise<void> {
    await mkdir(target, { recursive: true })
    await removeOldRuns(target, modelId, limits.runs - 1)
    file = await open(join(target, `${deploymentId}.ndjson`), 'a')
  }

  async function write(target: string, text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    if (fileBytes > 0 && fileBytes + bytes > limits.fileBytes) {
      await file?.close()
      file = null
      await rename(join(target, `${deploymentId}.ndjson`), join(target, `${deploymentId}.1.ndjson`))
      file = await open(join(target, `${deploymentId}.ndjson`), 'a')
      fileBytes = 0
    }
    await file?.appendFile(text)
    fileBytes += bytes
  }

  return {
    append(lines) {
      const timestamp = new Date().toISOString()
      for (const { message, error } of lines) if (error) tail.push(message.slice(-TAIL_CHARACTERS))
      tail.splice(0, tail.length - KEPT_LINES)
      if (folder === null || lines.length === 0) return work
      const text = lines.map((line) => `${JSON.stringify({ timestamp, ...line })}\n`).join('')
      work = work.then(() => guarded(() => write(folder, text)))
      return work
    },
    errorTail: () => tail.slice(-TAIL_LINES).join('\n').slice(-TAIL_CHARACTERS).trim(),
    errorLines: () => [...tail],
    async close() {
      await work
      const open = file
      file = null
      await guarded(async () => open?.close())
    },
  }
}

/** Deployment ids sort by time, so the oldest runs come first. Files with other names are foreign and stay. */
async function removeOldRuns(folder: string, modelId: string, keep: number): Promise<void> {
  const prefix = `${modelId}_`
  const files = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith('.ndjson'))
  const runOf = (name: string) => name.replace(/(\.1)?\.ndjson$/, '')
  const runs = [...new Set(files.map(runOf))].sort()
  const old = new Set(runs.slice(0, Math.max(0, runs.length - keep)))
  for (const name of files) {
    if (old.has(runOf(name)) && (await stat(join(folder, name))).isFile()) await rm(join(folder, name), { force: true })
  }
}
