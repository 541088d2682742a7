import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { errorText } from '@crunch/local-processes/errors'
import { status } from '@grpc/grpc-js'

/**
 * A unary gRPC call over HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md), limited to what calling a model needs. A
 * fan-out makes thousands of calls at once, and each costs several times as much with a general client.
 */
export interface UnaryCall {
  readonly outcome: Promise<UnaryOutcome>
  /** Cancels the call on the server. The outcome is CANCELLED unless the call already has one. */
  cancel(): void
}

export type UnaryOutcome = { readonly kind: 'bytes'; readonly bytes: Buffer } | UnaryFailure

export interface UnaryFailure {
  readonly kind: 'error'
  readonly code: status
  readonly details: string
  /** An answer arrived, but its proof is missing or invalid. */
  readonly isUnproven?: boolean
  /** No answer arrived: the connection was missing, lost, or closed on this side. */
  readonly absence?: 'lost' | 'closed here'
  /** The server ended the call without a status. */
  readonly isReset?: boolean
}

export interface UnaryRequest {
  /** The `:authority`. */
  readonly authority: string
  readonly path: string
  /** Headers in addition to those of every call. */
  readonly headers?: Readonly<Record<string, string>>
  /** The problem with the proof in the headers of an answer, if any. An answer with such a problem is always rejected. */
  readonly findFault?: (headers: IncomingHttpHeaders) => string | undefined
  /** Made by `frameMessage` and shared by the calls of a fan-out. */
  readonly frame: Buffer
  /** The deadline sent to the server. */
  readonly timeoutMs: number
  /** A larger answer ends the call as soon as its prefix announces its size. */
  readonly maxReceiveBytes: number
  /** Called with the announced size of the answer; false ends the call as RESOURCE_EXHAUSTED. */
  readonly admit?: (bytes: number) => boolean
}

const PREFIX_BYTES = 5

/** Minimum average size of data frames. Servers send kilobytes per frame; many tiny frames would cost more than their bytes. */
const FEW_PIECES = 1_024
const SMALL_PIECE_BYTES = 256

/** A gRPC frame: the flag for "not compressed", the length, the message. */
export function frameMessage(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length)
  frame[0] = 0
  frame.writeUInt32BE(bytes.length, 1)
  frame.set(bytes, PREFIX_BYTES)
  return frame
}

export function startUnaryCall(session: ClientHttp2Session, request: UnaryRequest): UnaryCall {
  let stream: ClientHttp2Stream
  try {
    stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_AUTHORITY]: request.authority,
      [constants.HTTP2_HEADER_PATH]: request.path,
      [constants.HTTP2_HEADER_TE]: 'trailers',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      'grpc-timeout': encodeTimeout(request.timeoutMs),
      'user-agent': 'crunch-coordinator',
      ...request.headers,
    })
  } catch (error) {
    // The session ended in the current turn of the event loop.
    const details = errorText(error)
    return { outcome: Promise.resolve(lost(details)), cancel: () => {} }
  }
  const answer = new AnswerReader(request)
  const outcome = new Promise<UnaryOutcome>((resolve) => {
    stream.on('response', (headers) => answer.takeHeaders(headers))
    stream.on('trailers', (headers) => answer.takeStatus(headers))
    stream.on('data', (chunk: Buffer) => {
      if (!answer.takeData(chunk)) stream.close(constants.NGHTTP2_CANCEL)
    })
    // The answer may come before the server has read the whole request; the rest of the request is then dropped.
    stream.on('end', () => {
      if (!stream.writableFinished) stream.close(constants.NGHTTP2_CANCEL)
    })
    // The status or the reset code of the stream shows what went wrong.
    stream.on('error', () => {})
    stream.on('close', () => resolve(answer.outcome(session.destroyed, stream.rstCode)))
  })
  stream.end(request.frame)
  return { outcome, cancel: () => stream.close(constants.NGHTTP2_CANCEL) }
}

/** Assembles the answer from headers, data and trailers in any order. */
class AnswerReader {
  readonly #request: UnaryRequest
  #chunks: Buffer[] = []
  #receivedBytes = 0
  /** Length of the message with its prefix; `undefined` until the prefix has arrived. */
  #frameBytes: number | undefined
  #hasHeaders = false
  #status: { readonly code: status; readonly details: string } | undefined
  /** Rejects an answer whose proof is invalid; an error status without a message needs no proof. */
  #unproven: UnaryFailure | undefined
  #refusal: UnaryFailure | undefined

  constructor(request: UnaryRequest) {
    this.#request = request
  }

  takeHeaders(headers: IncomingHttpHeaders): void {
    // An error without an answer may carry its status in the headers.
    this.takeStatus(headers)
    const httpStatus = Number(headers[constants.HTTP2_HEADER_STATUS])
    const contentType = String(headers[constants.HTTP2_HEADER_CONTENT_TYPE] ?? 'none')
    if (this.#status === undefined && httpStatus !== 200) {
      this.#refusal = failure(statusOfHttp(httpStatus), `the server answered with the HTTP status ${httpStatus}`)
    } else if (this.#status === undefined && !/^application\/grpc(?:[+;]|$)/.test(contentType)) {
      this.#refusal = failure(
        status.UNKNOWN,
        `the server does not use gRPC: the content type of its answer is ${contentType}`,
      )
    }
    this.#hasHeaders = true
    const fault = this.#request.findFault?.(headers)
    if (fault === undefined) return
    this.#unproven = { kind: 'error', code: status.UNAUTHENTICATED, details: fault, isUnproven: true }
  }

  takeStatus(headers: IncomingHttpHeaders): void {
    const code = headers['grpc-status']
    if (code === undefined) return
    const number = /^\d+$/.test(String(code)) ? Number(code) : status.UNKNOWN
    this.#status = { code: number in status ? number : status.UNKNOWN, details: decodeDetails(headers['grpc-message']) }
  }

  /** False when the rest of this answer is not needed. */
  takeData(chunk: Buffer): boolean {
    this.#refusal ??= this.#unproven
    if (this.#refusal !== undefined) return false
    this.#chunks.push(chunk)
    this.#receivedBytes += chunk.length
    if (this.#frameBytes === undefined && this.#receivedBytes >= PREFIX_BYTES) this.#readPrefix()
    if (this.#frameBytes !== undefined && this.#receivedBytes > this.#frameBytes) {
      this.#refusal ??= failure(status.INTERNAL, 'the answer has more than one message')
    }
    if (this.#chunks.length > FEW_PIECES + this.#receivedBytes / SMALL_PIECE_BYTES) {
      this.#refusal ??= failure(status.INTERNAL, 'the answer arrives in too many small pieces')
    }
    return this.#refusal === undefined
  }

  outcome(connectionIsLost: boolean, rstCode: number | undefined): UnaryOutcome {
    if (this.#refusal !== undefined) return this.#refusal
    if (this.#status === undefined) return this.#withoutStatus(connectionIsLost, rstCode)
    if (this.#status.code !== status.OK) return failure(this.#status.code, this.#status.details)
    if (this.#unproven !== undefined) return this.#unproven
    if (this.#frameBytes !== this.#receivedBytes) {
      return failure(
        status.INTERNAL,
        `the answer ended after ${this.#receivedBytes} bytes, before its message was complete`,
      )
    }
    const [first] = this.#chunks
    const frame = this.#chunks.length === 1 ? first! : Buffer.concat(this.#chunks)
    return { kind: 'bytes', bytes: frame.subarray(PREFIX_BYTES) }
  }

  #readPrefix(): void {
    const prefix = Buffer.concat(this.#chunks)
    this.#chunks = [prefix]
    const length = prefix.readUInt32BE(1)
    this.#frameBytes = PREFIX_BYTES + length
    if (prefix[0] !== 0)
      this.#refusal = failure(status.INTERNAL, 'the answer is compressed, which this client did not offer')
    const { maxReceiveBytes, admit } = this.#request
    if (length > maxReceiveBytes) {
      const details = `the answer has ${length} bytes, larger than the limit of ${maxReceiveBytes}`
      this.#refusal = failure(status.RESOURCE_EXHAUSTED, details)
    } else if (admit?.(length) === false) {
      this.#refusal = failure(status.RESOURCE_EXHAUSTED, `there is no room for the ${length} bytes of the answer`)
    }
  }

  #withoutStatus(connectionIsLost: boolean, rstCode = 0): UnaryFailure {
    if (connectionIsLost) return lost('the connection was lost')
    if (rstCode !== constants.NGHTTP2_NO_ERROR) {
      const details = `the stream was closed without a status (RST_STREAM ${rstCode})`
      return { ...failure(statusOfReset(rstCode), details), isReset: true }
    }
    const end = this.#hasHeaders ? 'ended its answer' : 'ended the call'
    return failure(status.INTERNAL, `the server ${end} without a status`)
  }
}

function failure(code: status, details: string): UnaryFailure {
  return { kind: 'error', code, details }
}

function lost(details: string): UnaryFailure {
  return { ...failure(status.UNAVAILABLE, details), absence: 'lost' }
}

/** At most eight digits; longer times are given in seconds. */
function encodeTimeout(timeoutMs: number): string {
  const milliseconds = Math.max(1, Math.ceil(timeoutMs))
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.min(Math.ceil(milliseconds / 1_000), 99_999_999)}S`
}

/** Decodes percent-encoded UTF-8; invalid sequences stay unchanged. */
function decodeDetails(message: string | string[] | undefined): string {
  return String(message ?? '').replace(/(?:%[0-9a-f]{2})+/gi, (codes) =>
    Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}

/** Source: github.com/grpc/grpc, doc/http-grpc-status-mapping.md. */
function statusOfHttp(httpStatus: number): status {
  switch (httpStatus) {
    case 400:
      return status.INTERNAL
    case 401:
      return status.UNAUTHENTICATED
    case 403:
      return status.PERMISSION_DENIED
    case 404:
      return status.UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return status.UNAVAILABLE
    default:
      return status.UNKNOWN
  }
}

/** Source: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md, "Errors". */
function statusOfReset(rstCode: number): status {
  switch (rstCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return status.UNAVAILABLE
    case constants.NGHTTP2_CANCEL:
      return status.CANCELLED
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return status.RESOURCE_EXHAUSTED
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return status.PERMISSION_DENIED
    default:
      return status.INTERNAL
  }
}
