import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { frameMessage } from '../unary-call.ts'

/** Models in a thread of their own, so that what they do does not keep this one busy. Each always gives the same bytes. */
export interface AnswerThread {
  /** One a model, in the order of their answers. */
  readonly ports: readonly number[]
  close(): Promise<unknown>
}

/** Serves gRPC as far as these calls need it. Plain JavaScript, because a thread loads it as it is. */
const program = `
const { createServer } = require('node:http2')
const { parentPort, workerData } = require('node:worker_threads')
const ports = workerData.answers.map((answer) => new Promise((resolve) => {
  const server = createServer()
  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.from(headers[':path'].endsWith('/Call') ? answer : workerData.setup))
  })
  server.listen(0, '127.0.0.1', () => resolve(server.address().port))
}))
Promise.all(ports).then((all) => parentPort.postMessage(all))
`

export async function serveAnswers(setup: Uint8Array, answers: readonly Uint8Array[]): Promise<AnswerThread> {
  const workerData = { setup: frameMessage(setup), answers: answers.map(frameMessage) }
  const thread = new Worker(program, { eval: true, workerData })
  const [ports] = (await once(thread, 'message')) as [readonly number[]]
  return { ports, close: () => thread.terminate() }
}
