/**
 * Run by the tests as a process of its own: opens the store of the URL in the first argument, takes the lease named by the
 * second, writes one JSON line about it, and stays until it is killed or its standard input ends.
 */
import { openPostgresStore } from './postgres-store.ts'

const [url = '', leaseName = ''] = process.argv.slice(2)
const store = await openPostgresStore({ url, maxConnections: 1 })
const lease = leaseName === '' ? null : await store.takeLease(leaseName)
process.stdout.write(`${JSON.stringify({ hasLease: lease !== null })}\n`)
process.stdin.resume()
process.stdin.on('end', () => {
  store.close().then(() => process.exit(0))
})
