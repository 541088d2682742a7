import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ModelState, parseServerMessage } from '@crunch/model-protocol'
import { type ClientOptions, WebSocket } from 'ws'
import type { LogFields, OrchestratorLog } from '../src/log.ts'

/** The key of the orchestrators of these tests. */
export const KEY = 'the key of the coordinator in charge'

export const STAND_IN = {
  command: process.execPath,
  args: [fileURLToPath(new URL('./stand-in-runner.mjs', import.meta.url))],
}

/** Time limit of a wait in a test; on a busy machine a model may need a minute to start. */
export const PATIENCE_MS = 100_000

/** Polls `probe` until it returns a truthy value; the error at the deadline contains `what`. */
export async function until<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  limitMs = PATIENCE_MS,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    const value = await probe()
    if (value !== undefined && value !== null && value !== false) return value
    await delay(20)
  }
  throw new Error(`not within ${limitMs} ms: ${what}`)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A log that keeps its lines in memory. */
export function rememberingLog(): OrchestratorLog & {
  readonly lines: { level: string; message: string; fields: LogFields }[]
} {
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const writer =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  return { lines, info: writer('info'), warn: writer('warn'), error: writer('error') }
}

/** A folder with submissions and a models file, removed at the end. */
export async function createWorkspace() {
  const root = await mkdtemp(join(tmpdir(), 'orchestrator-'))
  const submissions = join(root, 'submissions')
  const modelsFile = join(root, 'models.dev.yml')
  const logs = join(root, 'logs')
  await mkdir(submissions)
  return {
    root,
    submissions,
    modelsFile,
    logs,
    async submission(id: string, main: string): Promise<void> {
      await mkdir(join(submissions, id), { recursive: true })
      await writeFile(join(submissions, id, 'main.mjs'), main)
    },
    async models(entries: readonly Readonly<Record<string, string>>[]): Promise<void> {
      // JSON is valid YAML; the rename is atomic.
      await writeFile(`${modelsFile}.new`, JSON.stringify({ models: entries }))
      await rename(`${modelsFile}.new`, modelsFile)
    },
    async logLines(
      modelId: string,
    ): Promise<{ message: string; error: boolean; emitter: string; timestamp: string }[]> {
      const names = await readdir(join(logs, modelId))
      const texts = await Promise.all(names.sort().map((name) => readFile(join(logs, modelId, name), 'utf8')))
      return texts
        .join('')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    },
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Connects to the discovery socket like a coordinator. */
export async function connectDiscovery(port: number, path = '/starter-challenge', options: ClientOptions = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options)
  const frames: string[] = []
  const states: ModelState[] = []
  socket.on('message', (data) => {
    frames.push(String(data))
    const message = parseServerMessage(String(data))
    if (message.event === 'init' || message.event === 'update') states.push(...message.data)
  })
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  await until('the first frame', () => frames.length > 0)
  return {
    socket,
    frames,
    states,
    closed,
    send: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    /** The `nth` (from 0) announcement of this kind for the model. */
    announced: (modelId: string, state: ModelState['state'], nth = 0) =>
      until(`${modelId} ${state} ${nth}`, () => states.filter((s) => s.model_id === modelId && s.state === state)[nth]),
    close: () => socket.terminate(),
  }
}
