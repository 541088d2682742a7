import { chmod, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { systemErrorCode } from '@crunch/local-processes'
import { CliError, describeError } from '../cli-error.ts'
import { readLines } from '../logs/read-lines.ts'
import { parseJson } from '../parse-json.ts'
import type { ServiceStatus } from './service-definition.ts'

/** A request to a supervisor. */
export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'restart'; readonly service?: string }
  | { readonly command: 'down' }

/** The state of a supervisor and its services. */
export interface SupervisorStatus {
  readonly pid: number
  readonly startedAt: number
  readonly mode: string
  readonly apiUrl: string
  readonly modelsUrl: string | null
  readonly services: readonly ServiceStatus[]
}

type ControlAnswer =
  | { readonly ok: true; readonly status: SupervisorStatus }
  | { readonly ok: false; readonly error: string }

const maxRequestLength = 4_096
const maxAnswerLength = 1024 * 1024
const requestLimitMs = 5_000

/** Listens on a socket file that only this user may open. A request is one JSON line, and so is its answer. */
export async function serveControl(
  socketPath: string,
  handle: (request: ControlRequest) => Promise<SupervisorStatus>,
): Promise<Server> {
  // This supervisor has claimed the workspace, so an existing file was left by a killed one.
  if (process.platform !== 'win32') await rm(socketPath, { force: true })
  const server = createServer((socket) => {
    socket.setTimeout(requestLimitMs * 12, () => socket.destroy())
    let answered = false
    readLines(socket, maxRequestLength, (line) => {
      if (answered) return
      answered = true
      answer(line, handle).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
    })
  })
  server.maxConnections = 32
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  if (process.platform !== 'win32') await chmod(socketPath, 0o600)
  return server
}

async function answer(
  line: string,
  handle: (request: ControlRequest) => Promise<SupervisorStatus>,
): Promise<ControlAnswer> {
  const request = parseRequest(line)
  if (request === undefined) return { ok: false, error: 'this supervisor does not know this request' }
  try {
    return { ok: true, status: await handle(request) }
  } catch (error) {
    return { ok: false, error: describeError(error, false) }
  }
}

function parseRequest(line: string): ControlRequest | undefined {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || !('command' in value)) return undefined
  if (value.command === 'status' || value.command === 'down') return { command: value.command }
  if (value.command !== 'restart') return undefined
  if (!('service' in value)) return { command: 'restart' }
  return typeof value.service === 'string' ? { command: 'restart', service: value.service } : undefined
}

/** Sends a request to the supervisor of a socket, and waits up to `limitMs` for the answer. */
export async function askSupervisor(
  socketPath: string,
  request: ControlRequest,
  limitMs: number = requestLimitMs,
): Promise<SupervisorStatus> {
  const line = await exchange(socketPath, JSON.stringify(request), limitMs)
  const reply = parseJson(line) as ControlAnswer | undefined
  if (reply?.ok === true) return reply.status
  throw new CliError({
    place: `crunch ${request.command}`,
    cause: reply?.error ?? 'the supervisor ended without an answer',
    fix: 'check the state with: crunch status, and the reasons with: crunch logs',
  })
}

function exchange(socketPath: string, request: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection(socketPath, () => socket.write(`${request}\n`))
    let reply = ''
    const timer = setTimeout(() => {
      reject(unreachable(socketPath, `no answer within ${limitMs} ms`))
      socket.destroy()
    }, limitMs)
    socket.once('error', (error) => reject(unreachable(socketPath, systemErrorCode(error) ?? error.message)))
    readLines(socket, maxAnswerLength, (line) => {
      reply = line
    }).then(() => {
      clearTimeout(timer)
      resolve(reply)
    })
  })
}

function unreachable(socketPath: string, reason: string): CliError {
  return new CliError({
    place: socketPath,
    cause: `the supervisor does not answer (${reason})`,
    fix: 'try again; if that fails, kill its process (crunch status shows the pid) and run crunch deploy again',
  })
}
