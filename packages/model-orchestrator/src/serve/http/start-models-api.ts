import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { listenOn } from '../listen-on.ts'
import { createAccessGate } from './access-gate.ts'
import { createModelsApp } from './create-models-app.ts'
import type { ModelsApiContext } from './models-api-context.ts'

/** The address of the HTTP API. */
export interface ModelsApiAddress {
  /** 127.0.0.1 unless given. */
  readonly host?: string
  /** 0 for a free port. */
  readonly port: number
}

/** The running HTTP API. */
export interface ModelsApi {
  readonly port: number
  /** Also closes open connections: followed logs never end by themselves. */
  close(): Promise<void>
}

const SERVER_OPTIONS = {
  maxHeaderSize: 32_768,
  headersTimeout: 10_000,
  // Long enough for a hundred megabytes over a slow connection.
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
}
const MAX_CONNECTIONS = 500

/** Starts the API; resolves when it listens. Throws `ADDRESS_UNAVAILABLE`. */
export async function startModelsApi(
  address: ModelsApiAddress & { readonly apiKey: string },
  context: ModelsApiContext,
): Promise<ModelsApi> {
  const host = address.host ?? '127.0.0.1'
  const app = createModelsApp(context, createAccessGate(address.apiKey))
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: SERVER_OPTIONS }) as Server
  server.maxConnections = MAX_CONNECTIONS
  const port = await listenOn(server, host, address.port, '--http-port, MODEL_ORCHESTRATOR_HTTP_PORT')
  server.on('error', ({ message }) => context.log.error('HTTP API failed', { reason: message }))
  return {
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
