// Runs a backfill in a process that a test kills: `backfill-in-child.mjs DATABASE_URL JOB_ID CONTRACT`.
import { backfill, loadContract, openPostgresStore, readSettings, silentLog } from '@crunch/coordinator-node/internal'

const [url, id, contractPath] = process.argv.slice(2)
const store = await openPostgresStore({ url })
const job = (await store.backfillJobs()).find((candidate) => candidate.id === id)
if (job === undefined) throw new Error(`there is no job ${id}`)
const contract = await loadContract(contractPath)
const signal = new AbortController().signal
await backfill(job, { contract, settings: readSettings({}), env: {}, store, log: silentLog, signal })
await store.close()
