import { decodeVariant, encodeResult, parseLenientJson, writeStrictJson } from '@crunch/model-protocol'

/**
 * What a coordinator would receive for a method's result: the wire's rules without the bytes, because a simulation
 * makes millions of calls. Throws for results that the wire cannot carry.
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
