import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import {
  CallRequest,
  CHANNEL_OPTIONS,
  DynamicSubclassServiceClient,
  decodeVariant,
  HealthClient,
  ServingStatus,
  SetupRequest,
  type Status,
  type Variant,
  VariantType,
} from '@crunch/model-protocol'
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import { modelRunnerCommand } from '../src/command.ts'
import { writeFolder } from './temporary-folder.ts'

/** A request; omitted fields are empty on the wire. */
export type PeerRequest =
  | { readonly setup: Partial<SetupRequest> }
  | { readonly call: Partial<CallRequest>; readonly deadlineMs?: number }
  | { readonly rest: true }
  | { readonly health: string }

/** A response: the status with the type and value of the answer, or the gRPC status of a failed call. */
export type PeerAnswer =
  | { readonly code: string; readonly message: string; readonly type?: string; readonly value?: unknown }
  | { readonly grpc: string; readonly details: string }

/** A runner in a separate process, ours or the deployed one. */
export interface ProtocolPeer {
  send(request: PeerRequest): Promise<PeerAnswer>
  /** The log so far. */
  log(): string
}

/** The first attempts fail because the runner does not listen yet; by default gRPC would wait a second before the next. */
const EAGER_CHANNEL = {
  ...CHANNEL_OPTIONS,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 250,
}

type Files = Readonly<Record<string, string>>

/** Starts our runner on a folder with these files; it ends with the test. */
export function startOurRunner(files: Files): Promise<ProtocolPeer> {
  const { command, args } = modelRunnerCommand()
  return start(command, args, files)
}

/** Starts PyPI's `crunch-model-runner` with this Python; `pythonPath` contains additional modules. */
export function startPythonRunner(python: string, files: Files, pythonPath = ''): Promise<ProtocolPeer> {
  return start(python, ['-m', 'model_runner.server'], files, { PYTHONPATH: pythonPath })
}

async function start(
  command: string,
  args: readonly string[],
  files: Files,
  environment: NodeJS.ProcessEnv = {},
): Promise<ProtocolPeer> {
  const folder = writeFolder(files)
  // A socket's path may have at most 107 bytes. The end looks like a port but belongs to the path.
  const address = `unix:${join(writeFolder({}), 's')}:1`
  const child = spawn(command, [...args, '--code-directory', folder, '--address', address], {
    cwd: folder,
    env: { ...process.env, PYTHONUNBUFFERED: '1', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text
  })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`the runner ended: ${log}`)))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
  })
  const send = connect(address)
  await Promise.race([send.ready, ended])
  return { send: send.request, log: () => log }
}

function connect(address: string) {
  const client = new DynamicSubclassServiceClient(address, credentials.createInsecure(), EAGER_CHANNEL)
  const health = new HealthClient(address, credentials.createInsecure(), EAGER_CHANNEL)
  onTestFinished(() => {
    client.close()
    health.close()
  })
  const metadata = new Metadata()
  async function request(sent: PeerRequest): Promise<PeerAnswer> {
    try {
      if ('health' in sent) {
        const answer = await unary<{ status: ServingStatus }>((done) => health.check({ service: sent.health }, done))
        return { code: ServingStatus[answer.status], message: '' }
      }
      const answer = await unary<{ status: Status | undefined; methodResponse?: Variant | undefined }>((done) => {
        const options = { deadline: Date.now() + ('deadlineMs' in sent ? (sent.deadlineMs ?? 20_000) : 20_000) }
        if ('setup' in sent) client.setup(SetupRequest.fromPartial(sent.setup), metadata, options, done)
        else if ('call' in sent) client.call(CallRequest.fromPartial(sent.call), metadata, options, done)
        else client.rest({}, metadata, options, done)
      })
      const { code = '', message = '' } = answer.status ?? {}
      if (answer.methodResponse === undefined) return { code, message }
      const { type } = answer.methodResponse
      return { code, message, type: VariantType[type], value: decodeVariant(answer.methodResponse) }
    } catch (error) {
      const { code, details } = error as ServiceError
      if (code === undefined) throw error
      return { grpc: status[code], details }
    }
  }
  const ready = new Promise<void>((resolve, reject) => {
    health.waitForReady(Date.now() + 60_000, (error) => (error === undefined ? resolve() : reject(error)))
  })
  return { ready, request }
}

function unary<T>(begin: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((error, response) => (error === null ? resolve(response) : reject(error)))
  })
}
