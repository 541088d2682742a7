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
  /** `host:port`, where port 0 takes a free one, or `unix:/path/of/a/socket`, all of which is the path. */
  readonly address: string
  /** The entry, relative to the folder; searched for when absent (see `loadModelClass`). */
  readonly mainFile?: string | undefined
  /** Where stacks of a failing model go; stderr unless given. */
  readonly log?: RunnerLog
}

export interface ServedModel {
  /** Of a socket in the file system it says nothing. */
  readonly port: number
  /** Ends all connections and stops listening; a method that still runs is not waited for. */
  close(): void
}

/**
 * Serves the model of a folder over gRPC, with the standard health service beside it. The code is loaded by the first
 * Setup, whose answer says what is wrong with it. Rejects when the address cannot be bound.
 */
export async function serveModel({ directory, address, mainFile, log }: ServeModelOptions): Promise<ServedModel> {
  const host = createModelHost({ directory, mainFile, log: log ?? createStderrLog('info') })
  // Without grpc-js's statistics, which every call pays for. Connections are then cut by the end of the process, not by close.
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

/** Serving from start to end, whatever the model does: it says that the process is there. */
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
