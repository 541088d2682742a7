// Owns the embedded PostgreSQL of one run: when the benchmark goes away, however it does, the server and its data go too.
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { serveParent } from './parent-link.ts'

await serveParent(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crunch-bench-'))
  // The server's own user, when we are root, has to reach its data.
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
