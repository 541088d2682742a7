import {
  CHANNEL_OPTIONS,
  DynamicSubclassServiceClient,
  DynamicSubclassServiceService,
  type SetupResponse,
  setupRequest,
} from '@crunch/model-protocol'
import { type ClientUnaryCall, connectivityState, credentials, Metadata, status } from '@grpc/grpc-js'
import type { DispatchExpiry } from '../dispatch-expiry.ts'

/** Our own clock gives a call up; the deadline on the wire only tells the model, and comes a little later. */
const DEADLINE_GRACE_MS = 1_000
const MAX_IDLE_MS = 2 ** 31 - 1

export interface TransportError {
  readonly kind: 'error'
  readonly code: status
  readonly details: string
  readonly durationMs: number
}

export type CallOutcome =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly durationMs: number }
  | { readonly kind: 'expired'; readonly durationMs: number }
  | TransportError

export type SetupOutcome = { readonly kind: 'answered'; readonly response: SetupResponse } | TransportError

const closedError: TransportError = {
  kind: 'error',
  code: status.CANCELLED,
  details: 'the coordinator closed the connection',
  durationMs: 0,
}

/** The connection to one model; it belongs to nobody else, and it reconnects by itself. */
export interface ModelChannel {
  isReady(): boolean
  /** With `failFast`, a refused connection is an answer; without it, only the time decides. Never rejects. */
  whenReady(timeoutMs: number, options: { readonly failFast: boolean }): Promise<boolean>
  setup(className: string, timeoutMs: number): Promise<SetupOutcome>
  /** Sends the bytes of an encoded CallRequest. The answer stays bytes: reading it may take long. */
  call(request: Uint8Array, expiry: DispatchExpiry): Promise<CallOutcome>
  /** Ends what is running as CANCELLED. */
  close(): void
}

/** An answer beyond the limit is refused when its first bytes say how long it is. */
export function openModelChannel(ip: string, port: number, maxOutputBytes: number): ModelChannel {
  const client = new DynamicSubclassServiceClient(addressOf(ip, port), credentials.createInsecure(), {
    ...CHANNEL_OPTIONS,
    'grpc.max_receive_message_length': maxOutputBytes,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
    // A model that rests for half an hour must answer as quickly as any other.
    'grpc.client_idle_timeout_ms': MAX_IDLE_MS,
    // Whether a call is made again is for the pipeline to decide; the buffers for it cost memory a call.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
  })
  const running = new Set<ClientUnaryCall>()
  const closing = new AbortController()

  return {
    isReady: () =>
      !closing.signal.aborted && client.getChannel().getConnectivityState(false) === connectivityState.READY,
    whenReady: (timeoutMs, { failFast }) => whenReady(client, timeoutMs, failFast, closing.signal),
    async setup(className, timeoutMs) {
      return closing.signal.aborted ? closedError : setUp(client, running, className, timeoutMs)
    },
    async call(request, expiry) {
      return closing.signal.aborted ? closedError : sendBytes(client, running, request, expiry)
    },
    close() {
      if (closing.signal.aborted) return
      closing.abort()
      for (const call of running) call.cancel()
      client.close()
    },
  }
}

/** Bare IPv6 addresses would read as host and port. */
function addressOf(ip: string, port: number): string {
  return ip.includes(':') && !ip.startsWith('[') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function whenReady(
  client: DynamicSubclassServiceClient,
  timeoutMs: number,
  failFast: boolean,
  closing: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  const channel = client.getChannel()
  return new Promise((resolve) => {
    const end = (isReady: boolean) => {
      closing.removeEventListener('abort', abandon)
      resolve(isReady)
    }
    const abandon = () => end(false)
    const look = (timeout?: Error) => {
      if (closing.aborted || timeout !== undefined) return end(false)
      const state = channel.getConnectivityState(true)
      if (state === connectivityState.READY) return end(true)
      if (failFast && state === connectivityState.TRANSIENT_FAILURE) return end(false)
      channel.watchConnectivityState(state, deadline, look)
    }
    closing.addEventListener('abort', abandon)
    look()
  })
}

function setUp(
  client: DynamicSubclassServiceClient,
  running: Set<ClientUnaryCall>,
  className: string,
  timeoutMs: number,
): Promise<SetupOutcome> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + timeoutMs }
    const call = client.setup(setupRequest(className), new Metadata(), options, (error, response) => {
      running.delete(call)
      resolve(error === null ? { kind: 'answered', response } : transportError(error, startedAt))
    })
    running.add(call)
  })
}

function sendBytes(
  client: DynamicSubclassServiceClient,
  running: Set<ClientUnaryCall>,
  request: Uint8Array,
  expiry: DispatchExpiry,
): Promise<CallOutcome> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const call = withoutStack(() =>
      client.makeUnaryRequest(
        DynamicSubclassServiceService.call.path,
        asBuffer,
        (bytes: Buffer) => bytes,
        request,
        { deadline: Date.now() + expiry.remainingMs() + DEADLINE_GRACE_MS },
        (error, bytes) => {
          running.delete(call)
          if (error !== null) resolve(transportError(error, startedAt))
          else resolve({ kind: 'bytes', bytes: bytes ?? Buffer.alloc(0), durationMs: performance.now() - startedAt })
        },
      ),
    )
    running.add(call)
    void expiry.whenExpired().then(() => {
      if (!running.has(call)) return
      resolve({ kind: 'expired', durationMs: performance.now() - startedAt })
      call.cancel()
    })
  })
}

/** grpc-js takes a stack for every call in case it fails; of a failed call only code and details are looked at. */
function withoutStack<Result>(run: () => Result): Result {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Shares the bytes of the fan-out, copying nothing. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function transportError(error: { readonly code: status; readonly details: string }, startedAt: number): TransportError {
  return { kind: 'error', code: error.code, details: error.details, durationMs: performance.now() - startedAt }
}
