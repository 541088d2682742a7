import type { IncomingHttpHeaders } from 'node:http2'
import { errorText } from '@crunch/local-processes/errors'
import {
  DynamicSubclassServiceService,
  decodeResponse,
  HealthCheckResponse,
  HealthService,
  ServingStatus,
  SetupRequest,
  SetupResponse,
  setupRequest,
} from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import type { DispatchExpiry } from '../../dispatch-expiry.ts'
import { type ChannelSecurity, createChannelSecurity, type ModelTarget } from '../security/channel-security.ts'
import type { ModelCredentials } from '../security/model-credentials.ts'
import { type ConnectionProblem, type Http2Connection, openHttp2Connection } from './http2-connection.ts'
import { frameMessage, startUnaryCall, type UnaryCall, type UnaryFailure, type UnaryOutcome } from './unary-call.ts'

/** This process ends calls itself. The deadline sent to the model is for information and a little later. */
const DEADLINE_GRACE_MS = 1_000

export interface TransportError extends UnaryFailure {
  readonly durationMs: number
}

export type CallOutcome =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly durationMs: number }
  | { readonly kind: 'expired'; readonly durationMs: number }
  | TransportError

export type SetupOutcome = { readonly kind: 'answered'; readonly response: SetupResponse } | TransportError

/** The connection to one model. It is not shared, and reconnects automatically. */
export interface ModelChannel {
  isReady(): boolean
  /** Waits for the connection. With `failFast` a refused connection ends the wait; without it, only the time limit does. Never rejects. */
  whenReady(timeoutMs: number, options: { readonly failFast: boolean }): Promise<boolean>
  /** Why the last attempt to connect failed; `undefined` if it succeeded. */
  connectionProblem(): ConnectionProblem | undefined
  setup(className: string, timeoutMs: number): Promise<SetupOutcome>
  /**
   * Sends an encoded and framed CallRequest. The answer is returned as bytes, because decoding may take long. `admit`
   * decides by its size whether an answer is received.
   */
  call(frame: Buffer, expiry: DispatchExpiry, admit?: (bytes: number) => boolean): Promise<CallOutcome>
  /** Whether the runner's health service answers SERVING, as it does even while its model works. Never rejects. */
  isServing(timeoutMs: number): Promise<boolean>
  /** Ends open calls as CANCELLED. */
  close(): void
}

export interface ModelChannelOptions {
  readonly credentials: ModelCredentials
  /** A larger answer is refused as soon as its prefix announces its size. */
  readonly maxOutputBytes: number
}

export function openModelChannel(target: ModelTarget, options: ModelChannelOptions): ModelChannel {
  const security = createChannelSecurity(target, options.credentials)
  const connection = openHttp2Connection(security.openSocket)
  const start = callStarter(connection, security, options.maxOutputBytes)
  let isClosed = false

  /** Calls that end because the channel was closed were ended by us. */
  function explain(outcome: UnaryOutcome): UnaryOutcome {
    return isClosed && outcome.kind === 'error' ? closedHere : outcome
  }

  async function inTime(path: string, frame: Buffer, timeoutMs: number): Promise<UnaryOutcome> {
    const call = start(path, frame, timeoutMs)
    let hasExpired = false
    const timer = setTimeout(() => {
      hasExpired = true
      call.cancel()
    }, timeoutMs)
    const outcome = explain(await call.outcome)
    clearTimeout(timer)
    return hasExpired && outcome.kind === 'error' ? tooLate : outcome
  }

  return {
    isReady: () => connection.session() !== undefined,
    whenReady: (timeoutMs, options) => connection.whenReady(timeoutMs, options),
    connectionProblem: () => connection.problem(),
    async setup(className, timeoutMs) {
      const startedAt = performance.now()
      const frame = frameMessage(SetupRequest.encode(setupRequest(className)).finish())
      const outcome = await inTime(paths.setup, frame, timeoutMs)
      const durationMs = performance.now() - startedAt
      return outcome.kind === 'error' ? { ...outcome, durationMs } : readSetup(outcome.bytes, durationMs)
    },
    call(frame, expiry, admit) {
      const startedAt = performance.now()
      const call = start(paths.call, frame, expiry.remainingMs() + DEADLINE_GRACE_MS, admit)
      return new Promise((resolve) => {
        let isOver = false
        void call.outcome.then((outcome) => {
          isOver = true
          const durationMs = performance.now() - startedAt
          // An answer read after the time limit is rejected, whichever callback runs first after a stall of this process.
          resolve(expiry.isOver() ? { kind: 'expired', durationMs } : { ...explain(outcome), durationMs })
        })
        void expiry.whenExpired().then(() => {
          if (isOver) return
          resolve({ kind: 'expired', durationMs: performance.now() - startedAt })
          call.cancel()
        })
      })
    },
    async isServing(timeoutMs) {
      const outcome = await inTime(paths.health, healthRequest, timeoutMs)
      return outcome.kind === 'bytes' && servingStatus(outcome.bytes) === ServingStatus.SERVING
    },
    close() {
      isClosed = true
      connection.close()
    },
  }
}

type StartCall = (path: string, frame: Buffer, timeoutMs: number, admit?: (bytes: number) => boolean) => UnaryCall

/** Without a connection a call has failed already. */
function callStarter(connection: Http2Connection, security: ChannelSecurity, maxReceiveBytes: number): StartCall {
  return (path, frame, timeoutMs, admit) => {
    const session = connection.session()
    if (session === undefined) return { outcome: Promise.resolve(noConnection), cancel: () => {} }
    const { http2, socket } = session
    const request = { authority: security.authority, path, frame, timeoutMs, maxReceiveBytes, admit }
    // Deployed servers neither sign answers to health checks nor expect signed ones.
    if (path === paths.health) return startUnaryCall(http2, request)
    const findFault = (headers: IncomingHttpHeaders) => security.findFault(headers, socket)
    return startUnaryCall(http2, { ...request, headers: security.callHeaders(), findFault })
  }
}

const paths = {
  setup: DynamicSubclassServiceService.setup.path,
  call: DynamicSubclassServiceService.call.path,
  health: HealthService.check.path,
}

/** Checks the whole server: a HealthCheckRequest without a service has no bytes. */
const healthRequest = frameMessage(Buffer.alloc(0))

const noConnection: UnaryFailure = {
  kind: 'error',
  code: status.UNAVAILABLE,
  details: 'there is no connection',
  absence: 'lost',
}
const closedHere: UnaryFailure = {
  kind: 'error',
  code: status.CANCELLED,
  details: 'the coordinator closed the connection',
  absence: 'closed here',
}
const tooLate = { kind: 'error', code: status.DEADLINE_EXCEEDED, details: 'the time limit has passed' } as const

function readSetup(bytes: Buffer, durationMs: number): SetupOutcome {
  try {
    return { kind: 'answered', response: decodeResponse(SetupResponse, bytes) }
  } catch (error) {
    const details = `the answer is not a SetupResponse: ${errorText(error)}`
    return { kind: 'error', code: status.INTERNAL, details, durationMs }
  }
}

function servingStatus(bytes: Buffer): ServingStatus {
  try {
    return decodeResponse(HealthCheckResponse, bytes).status
  } catch {
    return ServingStatus.UNKNOWN
  }
}
