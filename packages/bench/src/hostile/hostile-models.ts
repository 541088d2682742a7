import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A model that harms others where nothing stops it, with how it must end. */
export interface HostileModel {
  /** Of its submission. */
  readonly name: string
  /** The members of its class; `socketsOf()` and `listenersOf()` give the runner's connections and where they come in. */
  readonly body: string
  /** What the orchestrator must say of it in the end: `code: reason`. */
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
    // Where processors are short it is busy with one answer for so long that neither the call nor a new connection is in time.
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
    // Not through its server: straight into the coordinator's connections, in the middle of a call.
    body: `predict() { for (const { fd } of socketsOf()) writeSync(fd, randomBytes(4_096)); ${answer} }`,
    ending: /^(CONNECTION_FAILED|MULTIPLE_FAILED|MULTIPLE_TIMEOUT): /,
  },
  {
    name: 'is-never-connected',
    // It serves, as its orchestrator sees; the first coordinator that comes, and every other, is turned away.
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
    // Text that it has printed but not yet written takes memory: it may reach that limit first, or Node itself may abort.
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

/** What `models.dev.yml` says of one model. */
interface ListedModel {
  readonly id: string
  readonly submission_id: string
  readonly crunch_id: string
  readonly desired_state: 'RUNNING'
}

/** Lists so many good models, and all hostile ones when a generation of them is named, for an orchestrator to notice. */
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
  // JSON is YAML, and a rename is seen whole.
  await writeFile(`${modelsFile}.new`, JSON.stringify({ models }))
  await rename(`${modelsFile}.new`, modelsFile)
}

/** The competition of these models. */
export const hostileCrunchId = 'hostile'

/** A hostile model that comes again is another model: nothing is remembered of the first. */
export function hostileId(name: string, generation: number): string {
  return `${name}-${generation}`
}

/** How good models are told from the others. */
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
    // One that has just been closed is listed for a moment, without its file.
    .filter((handle) => handle instanceof Socket && handle.server instanceof Server && handle._handle !== null)
    .map((socket) => ({ socket, fd: socket._handle.fd }))

class TrackerBase {}

export class Model extends TrackerBase {
  ${body}
}
`
}
