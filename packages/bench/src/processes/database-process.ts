// Owns the embedded PostgreSQL of one run: when the benchmark ends for any reason, the server and its data are removed.
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { serveParent } from './parent-link.ts'

await serveParent(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crunch-bench-'))
  // As root, the server runs as another user, who needs access to its data.
  await chmod(directory, 0o755)
  const server = await startEmbeddedPostgres({ directory })
  const data = await realpath(join(directory, 'data'))
  return {
    value: { url: server.url },
    async stop() {
      await server.stop()
      for (const folder of [data, directory]) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
})
