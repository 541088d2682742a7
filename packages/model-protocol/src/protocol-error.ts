/** What is wrong with a value or a message: it cannot be encoded or decoded, is beyond the limits, or breaks the protocol. */
export type ProtocolErrorCode =
  | 'VARIANT_NOT_ENCODABLE'
  | 'VARIANT_NOT_DECODABLE'
  | 'VARIANT_TOO_LARGE'
  | 'MESSAGE_INVALID'

/** The only error this package throws; the message says what is wrong and where. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
