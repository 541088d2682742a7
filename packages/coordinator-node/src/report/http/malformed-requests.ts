import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { RequestError } from '@hono/node-server'
import { problemBody, problemType } from './problem.ts'

// Requests that are no HTTP never reach the app. They get the same body as every other error.

function headersOf(requestId: string) {
  return { 'content-type': problemType, 'x-request-id': requestId, 'access-control-allow-origin': '*' }
}

/** The answer to a request of which the server can make no URL; anything else is a fault of the node. */
export function answerUnreadable(error: unknown): Response {
  const isUnreadable = error instanceof RequestError
  const status = isUnreadable ? 400 : 500
  const text = isUnreadable
    ? 'The request has no URL that can be read. Check the path and the Host header: a name and an optional port.'
    : 'The node failed to answer.'
  const requestId = randomUUID()
  return new Response(JSON.stringify(problemBody(status, text, requestId)), { status, headers: headersOf(requestId) })
}

const parserAnswers: Readonly<Record<string, readonly [status: number, text: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The path and the headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions of the body are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent in time.'],
}

/** Answers what the parser of the server refuses, and closes the connection. */
export function answerMalformed(server: Server): void {
  const newest = new WeakMap<Socket, ServerResponse>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => newest.set(socket, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = newest.get(socket)
    const isAnswering = response?.headersSent === true && !response.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) return socket.destroy(error)
    const [status, text] = parserAnswers[error.code ?? ''] ?? [400, 'This is not a valid HTTP request.']
    const requestId = randomUUID()
    const body = JSON.stringify(problemBody(status, text, requestId))
    const headers = { ...headersOf(requestId), 'content-length': Buffer.byteLength(body), connection: 'close' }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`)
  })
}
