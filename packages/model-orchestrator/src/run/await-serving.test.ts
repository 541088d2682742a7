import { type HealthServer, HealthService, SERVER_OPTIONS, ServingStatus } from '@crunch/model-protocol'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { awaitServing } from './await-serving.ts'

let server: Server
let port: number

beforeEach(async () => {
  server = new Server(SERVER_OPTIONS)
  const health: Pick<HealthServer, 'check'> = { check: (_, answer) => answer(null, { status: ServingStatus.SERVING }) }
  server.addService({ check: HealthService.check }, health)
  port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
})

afterEach(() => {
  vi.unstubAllEnvs()
  server.forceShutdown()
})

it('ignores a proxy in the environment', async () => {
  for (const name of ['grpc_proxy', 'https_proxy', 'http_proxy']) vi.stubEnv(name, 'http://127.0.0.1:1')
  for (const name of ['no_grpc_proxy', 'no_proxy']) vi.stubEnv(name, '')
  await expect(awaitServing(`127.0.0.1:${port}`, AbortSignal.timeout(100_000))).resolves.toBeUndefined()
})
