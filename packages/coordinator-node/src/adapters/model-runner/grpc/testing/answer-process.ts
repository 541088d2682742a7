import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { frameMessage } from '../transport/unary-call.ts'

/** Models in another process, so that their work does not keep this process busy. Each always returns the same bytes. */
export interface AnswerProcess {
  /** One port per model, in the order of `answers`. */
  readonly ports: readonly number[]
  close(): Promise<unknown>
}

/** Serves the part of gRPC that these calls need. Plain JavaScript, so that Node runs it without a build. */
const program = `
const { createServer } = require('node:http2')
process.on('disconnect', () => process.exit())
process.on('message', ({ setup, answers }) => Promise.all(answers.map((answer) => new Promise((resolve) => {
  const server = createServer()
  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.from(headers[':path'].endsWith('/Call') ? answer : setup))
  })
  server.listen(0, '127.0.0.1', () => resolve(server.address().port))
}))).then((ports) => process.send(ports)))
`

export async function serveAnswers(setup: Uint8Array, answers: readonly Uint8Array[]): Promise<AnswerProcess> {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
  const child = spawn(process.execPath, ['-e', program], { stdio: [...stdio], serialization: 'advanced' })
  const exited = once(child, 'exit')
  child.send({ setup: frameMessage(setup), answers: answers.map(frameMessage) })
  const [ports] = (await once(child, 'message')) as [readonly number[]]
  return {
    ports,
    close() {
      child.disconnect()
      return exited
    },
  }
}
