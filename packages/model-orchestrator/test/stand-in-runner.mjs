// A stand-in for a model runner that starts quickly. It loads the submission's main.mjs, then answers gRPC health checks
// with SERVING, and a Setup with the code in globalThis.setupCode (SUCCESS by default; "never" sends no answer).
import { createServer } from 'node:http2'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    'code-directory': { type: 'string' },
    address: { type: 'string' },
    'exit-with-parent': { type: 'boolean' },
  },
})
if (values['exit-with-parent']) {
  process.stdin.on('end', () => process.exit(0))
  process.stdin.resume()
}
await import(pathToFileURL(join(values['code-directory'], 'main.mjs')).href)

const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01])
const setup = (code) => {
  const status = Buffer.concat([Buffer.from([0x0a, code.length]), Buffer.from(code)])
  return Buffer.concat([Buffer.from([0, 0, 0, 0, status.length + 2, 0x0a, status.length]), status])
}
const server = createServer()
server.on('stream', (stream, headers) => {
  const isSetup = headers[':path'].toLowerCase().endsWith('/setup')
  const code = globalThis.setupCode ?? 'SUCCESS'
  if (isSetup && code === 'never') return
  stream.on('error', () => {})
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(isSetup ? setup(code) : SERVING)
})
const socket = /^unix:(.*)$/.exec(values.address)?.[1]
const [host, port] = values.address.split(':')
server.listen(socket === undefined ? { port: Number(port), host } : { path: socket }, () => {
  process.stdout.write(`${JSON.stringify({ event: 'ready', address: values.address })}\n`)
})
