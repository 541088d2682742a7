/**
 * Run by tests as a separate process: opens the store of the URL in the first argument, takes the lease named in the
 * second, writes one JSON line about it, and stays until it is killed or its standard input ends. For each line that it
 * reads, it tries to write like a predict worker, and writes the result as a JSON line.
 */
import { createInterface } from 'node:readline'
import { openPostgresStore } from '@crunch/coordinator-node/internal'

const [url = '', leaseName = ''] = process.argv.slice(2)
const store = await openPostgresStore({ url, maxConnections: 1 })
const lease = leaseName === '' ? null : await store.takeLease(leaseName)
process.stdout.write(`${JSON.stringify({ hasLease: lease !== null })}\n`)
for await (const modelId of createInterface({ input: process.stdin })) {
  const identity = { id: modelId, name: modelId, deploymentId: 'd', cruncherId: 'c', cruncherName: 'C' }
  const writes = [
    store.putSchedules([]),
    store.registerModels([identity], 0),
    store.beginRetirements([{ modelId, reason: 'removed' }], 0),
    store.endRetirements([modelId], 1),
    store.beat({ worker: 'predict', nextWithinMs: 60_000, hasWorked: true, problem: null }),
  ]
  const outcomes = await Promise.all(
    writes.map((write) =>
      write.then(
        () => 'written',
        ({ code }) => `${code}`,
      ),
    ),
  )
  process.stdout.write(`${JSON.stringify({ outcomes })}\n`)
}
await store.close()
process.exit(0)
