// Does what a model runner does as far as an orchestrator can see, and starts quickly: loads the submission's main.mjs,
// then answers gRPC health checks with SERVING.
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
const server = createServer()
server.on('stream', (stream) => {
  stream.on('error', () => {})
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(SERVING)
})
const socket = /^unix:(.*)$/.exec(values.address)?.[1]
const [host, port] = values.address.split(':')
server.listen(socket === undefined ? { port: Number(port), host } : { path: socket }, () => {
  process.stdout.write(`${JSON.stringify({ event: 'ready', address: values.address })}\n`)
})
