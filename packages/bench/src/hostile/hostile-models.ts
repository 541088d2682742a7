import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A model that would harm others, with its expected end. */
export interface HostileModel {
  /** Name of its submission. */
  readonly name: string
  /** The members of its class; `socketsOf()` and `listenersOf()` return the runner's connections and listening sockets. */
  readonly body: string
  /** The orchestrator's final failure of the model: `code: reason`. */
  readonly ending: RegExp
}

const answer = 'return { value: 0.5 }'

export const hostileModels: readonly HostileModel[] = [
  { name: 'hangs', body: 'predict() { for (;;); }', ending: /^MULTIPLE_TIMEOUT: / },
  {
    name: 'sleeps',
    body: 'predict() { return new Promise((wake) => setTimeout(() => wake({ value: 0.5 }), 3_600_000)) }',
    ending: /^MULTIPLE_TIMEOUT: .*in time/,
  },
  {
    name: 'answers-60-mb',
    body: `answer = 'x'.repeat(60 * 1024 * 1024); predict() { return this.answer }`,
    // With few CPU cores, one answer keeps it busy for so long that neither the call nor a new connection is in time.
    ending: /^(MULTIPLE_FAILED: .*too large|MULTIPLE_TIMEOUT: |CONNECTION_FAILED: no Setup)/,
  },
  { name: 'answers-nan', body: 'predict() { return { value: NaN } }', ending: /^MULTIPLE_FAILED: .*NaN/ },
  { name: 'crashes', body: 'predict() { process.exit(7) }', ending: /^STOP_UNEXPECTED: exited with code 7/ },
  {
    name: 'exits-on-setup',
    body: `constructor() { super(); process.exit(3) } predict() { ${answer} }`,
    ending: /^STOP_UNEXPECTED: exited with code 3/,
  },
  {
    name: 'sends-garbage',
    // Bypasses its server and writes directly into the coordinator's connections, in the middle of a call.
    body: `predict() { for (const { fd } of socketsOf()) writeSync(fd, randomBytes(4_096)); ${answer} }`,
    ending: /^(CONNECTION_FAILED|MULTIPLE_FAILED|MULTIPLE_TIMEOUT): /,
  },
  {
    name: 'is-never-connected',
    // Its orchestrator sees it serving, but it rejects every coordinator.
    body: `constructor() {
      super()
      for (const listener of listenersOf()) listener.close()
      for (const { socket } of socketsOf()) socket.destroy()
      setInterval(() => {}, 1_000)
      return new Promise(() => {})
    }
    predict() { ${answer} }`,
    ending: /^CONNECTION_FAILED: /,
  },
  {
    name: 'prints-endlessly',
    body: `predict() { setInterval(() => { for (let i = 0; i < 200; i += 1) console.log('x'.repeat(8_192)) }, 1); ${answer} }`,
    // Buffered output takes memory: the model may reach the memory limit first, or Node itself may abort.
    ending:
      /^STOP_UNEXPECTED: (was stopped because it (printed more than|.* of memory, over its limit)|was ended by SIG(ABRT|ILL|TRAP)|exited with code 13[2-4])/,
  },
  {
    name: 'forks-endlessly',
    body: `predict() { setInterval(() => { for (let i = 0; i < 5; i += 1) spawn('sleep', ['60']) }, 20); ${answer} }`,
    ending: /^STOP_UNEXPECTED: .*processes/,
  },
]

/** Answers at once. */
const goodBody = `predict() { ${answer} }`

/** The entry of a model in `models.dev.yml`. */
interface ListedModel {
  readonly id: string
  readonly submission_id: string
  readonly crunch_id: string
  readonly desired_state: 'RUNNING'
}

/** Writes `models.dev.yml` with a number of good models and, if a generation is given, all hostile ones. */
export async function listModels(
  folder: { readonly modelsFile: string; readonly submissionsDirectory: string },
  wanted: { readonly goodCount: number; readonly generation?: number },
): Promise<void> {
  const { modelsFile, submissionsDirectory } = folder
  const models: ListedModel[] = []
  const add = async (id: string, submission: string, body: string) => {
    await mkdir(join(submissionsDirectory, submission), { recursive: true })
    await writeFile(join(submissionsDirectory, submission, 'main.mjs'), mainOf(body))
    models.push({ id, submission_id: submission, crunch_id: hostileCrunchId, desired_state: 'RUNNING' })
  }
  for (let index = 1; index <= wanted.goodCount; index += 1) await add(`good-${index}`, 'good', goodBody)
  if (wanted.generation !== undefined) {
    for (const { name, body } of hostileModels) await add(hostileId(name, wanted.generation), name, body)
  }
  // JSON is valid YAML, and a rename is atomic.
  await writeFile(`${modelsFile}.new`, JSON.stringify({ models }))
  await rename(`${modelsFile}.new`, modelsFile)
}

/** The competition of these models. */
export const hostileCrunchId = 'hostile'

/** A hostile model of another generation is a new model, without the history of the first. */
export function hostileId(name: string, generation: number): string {
  return `${name}-${generation}`
}

/** Whether a model is a good one. */
export function isGood(modelId: string): boolean {
  return modelId.startsWith('good-')
}

function mainOf(body: string): string {
  return `import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Server, Socket } from 'node:net'

const handles = () => process._getActiveHandles()
const listenersOf = () => handles().filter((handle) => handle instanceof Server)
const socketsOf = () =>
  handles()
    // A connection that has just been closed may still be listed, without its file.
    .filter((handle) => handle instanceof Socket && handle.server instanceof Server && handle._handle !== null)
    .map((socket) => ({ socket, fd: socket._handle.fd }))

class TrackerBase {}

export class Model extends TrackerBase {
  ${body}
}
`
}
