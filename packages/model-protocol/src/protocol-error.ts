/** The kind of error: a value cannot be encoded or decoded, exceeds the limits, or a message breaks the protocol. */
export type ProtocolErrorCode =
  | 'VARIANT_NOT_ENCODABLE'
  | 'VARIANT_NOT_DECODABLE'
  | 'VARIANT_TOO_LARGE'
  | 'MESSAGE_INVALID'

/** The only error of this package; the message names the problem and the place. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
