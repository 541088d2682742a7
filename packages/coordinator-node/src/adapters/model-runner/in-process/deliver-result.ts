import { decodeVariant, encodeResult, parseLenientJson, writeStrictJson } from '@crunch/model-protocol'

/**
 * Converts a method's result to what a coordinator would receive over gRPC, without encoding, because a simulation makes
 * millions of calls. Throws for results that cannot be sent.
 */
export function deliverResult(result: unknown): unknown {
  switch (typeof result) {
    case 'undefined':
      return null
    case 'number':
      return result
    case 'boolean':
      return result ? 1 : 0
    case 'object':
      return result === null ? null : parseLenientJson(writeStrictJson(result))
    default:
      return decodeVariant(encodeResult(result))
  }
}
