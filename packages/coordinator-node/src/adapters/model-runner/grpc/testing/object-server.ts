import { errorText } from '@crunch/local-processes/errors'
import {
  type CallRequest,
  CallResponse,
  DynamicSubclassServiceService,
  decodeVariant,
  encodeResult,
  HealthService,
  SERVER_OPTIONS,
  ServingStatus,
  type Status,
} from '@crunch/model-protocol'
import { type handleUnaryCall, Metadata, Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js'

export interface ObjectServerOptions {
  /** Default 0: any free port. */
  readonly port?: number
  /** Answers Setup; the default creates nothing and answers SUCCESS. */
  readonly setUp?: () => Promise<Status>
  readonly maxSendBytes?: number
  /** The answer of the health service, computed for each check; default SERVING. */
  readonly health?: () => Promise<ServingStatus>
  /** Insecure when absent. */
  readonly credentials?: ServerCredentials
  /** Path of a Unix socket to listen on instead of a port. */
  readonly path?: string
  /** The initial metadata of each answer. */
  readonly metadata?: () => Readonly<Record<string, string>>
  /** Called for each call except health checks; a returned text refuses the call as UNAUTHENTICATED. */
  readonly refuse?: (path: string, metadata: Metadata, host: string) => string | undefined
}

export interface ObjectServer {
  readonly port: number
  readonly setups: number
  readonly calls: number
  readonly healthChecks: number
  /** Ends all connections at once, like a dying process. */
  crash(): void
}

/** An answer of arbitrary bytes. */
export class RawAnswer {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** A gRPC status instead of an answer. */
export class RawFailure extends Error {
  readonly code: status
  readonly details: string

  constructor(code: status, details: string) {
    super(details)
    this.code = code
    this.details = details
  }
}

/** Serves an in-process object as deployed runners serve a model: one call at a time, exceptions as status codes. */
export async function serveObject(model: object, options: ObjectServerOptions = {}): Promise<ObjectServer> {
  const server = new Server({ ...SERVER_OPTIONS, 'grpc.max_send_message_length': options.maxSendBytes ?? -1 })
  const counts = { setups: 0, calls: 0, healthChecks: 0 }
  const exclusively = createLock(options)
  const definition = {
    ...DynamicSubclassServiceService,
    call: {
      ...DynamicSubclassServiceService.call,
      responseSerialize: (answer: CallResponse | RawAnswer) =>
        answer instanceof RawAnswer ? answer.bytes : Buffer.from(CallResponse.encode(answer).finish()),
    },
  }
  server.addService(definition, {
    setup: exclusively(async () => {
      counts.setups += 1
      return { status: (await options.setUp?.()) ?? { code: 'SUCCESS', message: 'Instance created successfully' } }
    }),
    call: exclusively((request: CallRequest) => {
      counts.calls += 1
      return call(model, request)
    }),
    rest: exclusively(async () => ({ status: { code: 'SUCCESS', message: '' } })),
  })
  server.addService(HealthService, {
    check: (_: unknown, callback: sendUnaryData<{ status: ServingStatus }>) => {
      counts.healthChecks += 1
      const answer = options.health?.() ?? Promise.resolve(ServingStatus.SERVING)
      void answer.then((status) => callback(null, { status }))
    },
  })
  const address = options.path === undefined ? `127.0.0.1:${options.port ?? 0}` : `unix:${options.path}`
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, options.credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    port,
    get setups() {
      return counts.setups
    },
    get calls() {
      return counts.calls
    },
    get healthChecks() {
      return counts.healthChecks
    },
    crash: () => server.forceShutdown(),
  }
}

function createLock({ metadata, refuse }: ObjectServerOptions) {
  let busy = false
  return <Request, Response>(work: (request: Request) => Promise<Response>): handleUnaryCall<Request, Response> =>
    (stream, callback) => {
      const { request } = stream
      const refusal = refuse?.(stream.getPath(), stream.metadata, stream.getHost())
      if (refusal !== undefined) {
        callback({ code: status.UNAUTHENTICATED, details: refusal })
        return
      }
      if (metadata !== undefined) stream.sendMetadata(Metadata.fromHttp2Headers(metadata()))
      if (busy) {
        callback({ code: status.RESOURCE_EXHAUSTED, details: 'Server busy' })
        return
      }
      busy = true
      work(request)
        .finally(() => {
          busy = false
        })
        .then(
          (response) => callback(null, response),
          (error: unknown) =>
            callback(error instanceof RawFailure ? error : { code: status.INTERNAL, details: String(error) }),
        )
    }
}

async function call(model: object, request: CallRequest): Promise<CallResponse | RawAnswer> {
  const { methodName, methodArguments } = request
  try {
    const method: unknown = Reflect.get(model, methodName)
    if (typeof method !== 'function') {
      const message = `Method "${methodName}" not found in class "${model.constructor.name}"`
      return { status: { code: 'BAD_IMPLEMENTATION', message }, methodResponse: undefined }
    }
    const values = methodArguments.map(({ data }) => decodeVariant(data))
    const result: unknown = await Reflect.apply(method, model, values)
    if (result instanceof RawAnswer) return result
    return { status: { code: 'SUCCESS', message: '' }, methodResponse: encodeResult(result) }
  } catch (error) {
    if (error instanceof RawFailure) throw error
    const message = `The model raised an exception: ${errorText(error)}`
    return { status: { code: 'MODEL_FAILED', message }, methodResponse: undefined }
  }
}
