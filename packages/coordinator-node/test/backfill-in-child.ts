// Runs a backfill in a process that a test kills: `backfill-in-child.ts DATABASE_URL JOB_ID`.
import { setTimeout } from 'node:timers/promises'
import { backfill, openPostgresStore, readSettings, silentLog } from '@crunch/coordinator-node/internal'
import type { FeedSource } from '../src/ports/feed-source.ts'
import { btc, candle, minute, minuteMs } from '../src/ports/store-samples.ts'
import { changedContract, market } from './sample-definition.ts'

const pageRecords = 40

const source: FeedSource = {
  describe: async () => [{ source: 'binance', subjects: ['BTCUSDT'], kind: 'candle', granularities: ['1m'] }],
  async *stream() {},
  async *history(_scope, from, to, signal) {
    let index = Math.ceil((from - minute(0)) / minuteMs)
    while (minute(index) < to && !signal.aborted) {
      const count = Math.min(pageRecords, Math.ceil((to - minute(index)) / minuteMs))
      const page = Array.from({ length: count }, (_, place) => candle(index + place, undefined, btc))
      await setTimeout(1)
      yield page.map(({ receivedAt: _received, ...record }) => record)
      index += count
    }
  },
}

const [url = '', id = ''] = process.argv.slice(2)
const store = await openPostgresStore({ url })
const job = (await store.backfillJobs()).find((candidate) => candidate.id === id)
if (job === undefined) throw new Error(`there is no job ${id}`)
const contract = changedContract({ feed: { ...market, from: () => source } })
const signal = new AbortController().signal
await backfill(job, { contract, settings: readSettings({}), env: {}, store, log: silentLog, signal })
await store.close()
