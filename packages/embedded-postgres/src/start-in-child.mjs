/**
 * Tests run this as a separate process. It starts the embedded PostgreSQL with the options in the first argument, prints the result
 * as one line of JSON, and stops the server when its standard input ends.
 */
import { EmbeddedPostgresError, startEmbeddedPostgres } from '@crunch/embedded-postgres'

const options = JSON.parse(process.argv[2] ?? '{}')
const lines = []

try {
  const server = await startEmbeddedPostgres({ ...options, log: (line) => lines.push(line) })
  const { url, port, pid, attached } = server
  process.stdout.write(`${JSON.stringify({ url, port, pid, attached, lines })}\n`)
  process.stdin.resume()
  process.stdin.on('end', () => {
    server.stop().then(() => process.exit(0))
  })
} catch (error) {
  if (!(error instanceof EmbeddedPostgresError)) throw error
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message, lines })}\n`)
}
