// The measured API: a report worker's server on a filled database, in a separate process.
import { openPostgresStore, reportContract, wallClock } from '@crunch/coordinator-node/internal'
import { createLog } from '@crunch/coordinator-node/workers'
import { z } from 'zod'
import realtime from '../../../../templates/node/contract.ts'
import { createReportApp, startReportServer } from '../engine.ts'
import { parentInput, serveParent } from './parent-link.ts'

const organizer = 'organizer'

await serveParent(async () => {
  const { databaseUrl } = parentInput(z.object({ databaseUrl: z.string() }))
  const store = await openPostgresStore({ url: databaseUrl })
  const stopping = new AbortController()
  const [era] = await store.eras()
  const app = createReportApp({
    reads: store,
    probe: store.probe,
    clock: wallClock,
    log: createLog({ LOG_LEVEL: 'warn', LOG_FORMAT: 'json' }),
    live: { subscribeChanges: store.subscribeChanges, stopping: stopping.signal },
    info: {
      ...{ crunchId: realtime.name, crunchAddress: '', network: 'devnet', version: '0.0.0' },
      era: { number: era?.number ?? 1, beganAt: era?.beganAt ?? 0 },
      contractVersion: { number: 1, hash: 'bench', era: 1, firstSeenAt: 0 },
    },
    contract: reportContract(realtime, organizer),
  })
  const server = await startReportServer({ app, port: 0 })
  return {
    value: { url: server.url, pid: process.pid },
    async stop() {
      stopping.abort()
      await server.close()
      await store.close()
    },
  }
})
