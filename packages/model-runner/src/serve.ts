import { errorText } from '@crunch/local-processes/errors'
import {
  type DynamicSubclassServiceServer,
  DynamicSubclassServiceService,
  type HealthServer,
  HealthService,
  SERVER_OPTIONS,
  ServingStatus,
} from '@crunch/model-protocol'
import { Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js'
import { createModelHost, ServerBusyError } from './model-host.ts'
import { createStderrLog, type RunnerLog } from './runner-log.ts'
import { freeUnixSocket } from './unix-socket.ts'

export interface ServeModelOptions {
  /** The folder of the submission. */
  readonly directory: string
  /** `host:port`, with port 0 for a free one, or `unix:PATH`, where everything after `unix:` is the path. */
  readonly address: string
  /** The entry, relative to the folder; searched for when absent (see `loadModelClass`). */
  readonly mainFile?: string | undefined
  /** The log for stacks of a failing model; stderr unless given. */
  readonly log?: RunnerLog
}

export interface ServedModel {
  /** Has no meaning for a Unix socket. */
  readonly port: number
  /** Ends all connections and stops listening, without waiting for a running method. */
  close(): void
}

/**
 * Serves the model of a folder over gRPC, with the standard health service. The first Setup loads the code, and its
 * response reports errors in it. Rejects if the address cannot be bound.
 */
export async function serveModel({ directory, address, mainFile, log }: ServeModelOptions): Promise<ServedModel> {
  const host = createModelHost({ directory, mainFile, log: log ?? createStderrLog('info') })
  // Disables grpc-js's statistics, which slow down every call. Without them, close does not end connections; the end of the process does.
  const server = new Server({ ...SERVER_OPTIONS, 'grpc.enable_channelz': 0 })
  const model: DynamicSubclassServiceServer = {
    setup: ({ request }, callback) => answer(callback, async () => ({ status: await host.setup(request) })),
    call: ({ request }, callback) => answer(callback, () => host.call(request)),
    rest: (_, callback) => answer(callback, async () => ({ status: await host.rest() })),
  }
  server.addService(DynamicSubclassServiceService, model)
  server.addService(HealthService, createHealthServer())
  await freeUnixSocket(address)
  const port = await bind(server, address)
  return { port, close: () => server.forceShutdown() }
}

function answer<Response>(callback: sendUnaryData<Response>, work: () => Promise<Response>): void {
  work().then(
    (response) => callback(null, response),
    (error: unknown) => {
      const isBusy = error instanceof ServerBusyError
      const code = isBusy ? status.RESOURCE_EXHAUSTED : status.INTERNAL
      callback({ code, details: errorText(error) })
    },
  )
}

/** Always answers SERVING, regardless of the model: it only shows that the process runs. */
function createHealthServer(): HealthServer {
  return {
    check: ({ request }, callback) => {
      if (request.service === '') callback(null, { status: ServingStatus.SERVING })
      else callback({ code: status.NOT_FOUND, details: '' })
    },
    watch: (call) => {
      const isKnown = call.request.service === ''
      call.write({ status: isKnown ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN })
      call.once('cancelled', () => call.end())
    },
  }
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port)
      else reject(new Error(`cannot listen on ${address}: ${error.message}; choose another port`, { cause: error }))
    })
  })
}
