import {
  type ArgumentValue,
  type CallResponse,
  CHANNEL_OPTIONS,
  DynamicSubclassServiceClient,
  decodeVariant,
  encodeCall,
  type SetupResponse,
  sendCall,
  setupRequest,
} from '@crunch/model-protocol'
import { credentials, Metadata } from '@grpc/grpc-js'

const LIMIT_MS = 60_000

/** A client that calls a model like a coordinator. */
export function connectModel(port: number) {
  const client = new DynamicSubclassServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL_OPTIONS)
  const options = () => ({ deadline: Date.now() + LIMIT_MS })
  return {
    setup: (className: string) =>
      new Promise<SetupResponse>((resolve, reject) => {
        client.setup(setupRequest(className), new Metadata(), options(), (error, response) =>
          error ? reject(error) : resolve(response),
        )
      }),
    call: (name: string, values: readonly ArgumentValue[] = []) =>
      new Promise<{ readonly code: string; readonly message: string; readonly value: unknown }>((resolve, reject) => {
        sendCall(client, encodeCall(name, values), options(), (error, response) => {
          if (error || !response) reject(error)
          else resolve(readAnswer(response))
        })
      }),
    close: () => client.close(),
  }
}

function readAnswer({ status, methodResponse }: CallResponse) {
  const value = methodResponse === undefined ? undefined : decodeVariant(methodResponse)
  return { code: status?.code ?? '', message: status?.message ?? '', value }
}
