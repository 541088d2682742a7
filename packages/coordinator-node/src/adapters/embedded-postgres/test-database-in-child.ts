/** Run by a test as a test run of its own, to be killed: writes its database's address and stays. */
import { createTestDatabase } from './test-database.ts'

const { url } = await createTestDatabase()
process.stdout.write(`${JSON.stringify({ url, lines: [] })}\n`)
process.stdin.resume()
