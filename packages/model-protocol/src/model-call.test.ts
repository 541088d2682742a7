import { credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import {
  type CallRequest,
  type CallResponse,
  DynamicSubclassServiceClient,
  type DynamicSubclassServiceServer,
  DynamicSubclassServiceService,
} from './generated/dynamic_subclass.ts'
import { CHANNEL_OPTIONS, SERVER_OPTIONS } from './limits.ts'
import { encodeCall, sendCall } from './model-call.ts'
import { decodeVariant, encodeResult } from './variant.ts'

const server = new Server(SERVER_OPTIONS)

afterEach(() => server.forceShutdown())

it('sends the same encoded call repeatedly, beyond the default limit of gRPC (4 MiB)', async () => {
  const received: CallRequest[] = []
  const implementation: DynamicSubclassServiceServer = {
    setup: (_, callback) => callback(null, { status: undefined }),
    rest: (_, callback) => callback(null, { status: undefined }),
    call: ({ request }, callback) => {
      received.push(request)
      const methodResponse = encodeResult(decodeVariant(request.methodArguments[0]?.data))
      callback(null, { status: { code: 'SUCCESS', message: '' }, methodResponse })
    },
  }
  server.addService(DynamicSubclassServiceService, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const client = new DynamicSubclassServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL_OPTIONS)
  const text = 'x'.repeat(5 * 1024 * 1024)
  const request = encodeCall('echo', [{ type: 'STRING', value: text }])

  for (let repeat = 0; repeat < 2; repeat += 1) {
    const response = await new Promise<CallResponse | undefined>((resolve, reject) => {
      sendCall(client, request, { deadline: Date.now() + 20_000 }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      )
    })
    expect(decodeVariant(response?.methodResponse)).toBe(text)
  }
  expect(received.map(({ methodName }) => methodName)).toEqual(['echo', 'echo'])
  client.close()
})
