import { type CallOptions, type Client, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { Argument } from './generated/commons.ts'
import { CallRequest, CallResponse, DynamicSubclassServiceService, SetupRequest } from './generated/dynamic_subclass.ts'
import { type ArgumentValue, encodeVariant } from './variant.ts'

/**
 * The serialised CallRequest of one method call. A fan-out encodes it once and sends the same bytes to every model with
 * `sendCall`. Throws `VARIANT_NOT_ENCODABLE`.
 */
export function encodeCall(methodName: string, methodArguments: readonly ArgumentValue[]): Uint8Array {
  return CallRequest.encode({
    methodName,
    methodArguments: positional(methodArguments),
    methodKwArguments: [],
  }).finish()
}

/** The request that creates the instance; `className` is the dotted name of the base class, e.g. `tracker.TrackerBase`. */
export function setupRequest(className: string, instanceArguments: readonly ArgumentValue[] = []): SetupRequest {
  return SetupRequest.create({ className, instanceArguments: positional(instanceArguments), instanceKwArguments: [] })
}

/**
 * Sends the bytes of `encodeCall` as a Call. `client` may be any grpc-js client connected to a model, such as a
 * `DynamicSubclassServiceClient`. Set a deadline in the options: without one, a call of a hanging model never ends.
 */
export function sendCall(
  client: Client,
  request: Uint8Array,
  { metadata = new Metadata(), ...options }: CallOptions & { readonly metadata?: Metadata },
  callback: (error: ServiceError | null, response: CallResponse | undefined) => void,
): ClientUnaryCall {
  return client.makeUnaryRequest(
    DynamicSubclassServiceService.call.path,
    asBuffer,
    CallResponse.decode,
    request,
    metadata,
    options,
    callback,
  )
}

/** Shares the bytes without copying. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Positions start at 1. */
function positional(values: readonly ArgumentValue[]): Argument[] {
  return values.map((value, index) => ({ position: index + 1, data: encodeVariant(value) }))
}
