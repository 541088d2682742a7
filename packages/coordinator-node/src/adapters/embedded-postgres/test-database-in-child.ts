/** Run by a test as a separate test run, to be killed: writes its database's URL and keeps running. */
import { createTestDatabase } from './test-database.ts'

const { url } = await createTestDatabase()
process.stdout.write(`${JSON.stringify({ url, lines: [] })}\n`)
process.stdin.resume()
