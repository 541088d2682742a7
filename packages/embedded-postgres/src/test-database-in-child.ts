/** A test starts this as a separate test run and kills it. It prints the URL of its database and keeps running. */
import { createTestDatabase } from './test-database.ts'

const { url } = await createTestDatabase()
process.stdout.write(`${JSON.stringify({ url, lines: [] })}\n`)
process.stdin.resume()
