import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openPostgresStore, type Store } from '@crunch/coordinator-node/internal'
import realtime from '../../../../templates/node/contract.ts'
import type { Log } from '../engine.ts'
import type { Figures } from '../measurements.ts'
import { openDueRounds } from './due-rounds.ts'

const modelCount = 1_000
/** The second period of ten minutes has the 20 rounds that two schedules opened in the ten minutes from minute 5 on. */
const minuteCount = 20
const fullPeriod = 20

/** Time to close a snapshot period, from reading its results until everything is stored. */
export async function closePeriod(databaseUrl: string, log: Log): Promise<Figures> {
  const opened = await openPostgresStore({ url: databaseUrl })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const closed: { rounds: number; ms: number; blockedMs: number; cpuMs: number }[] = []
  let startedAt = Number.NaN
  let usedBefore = process.cpuUsage()
  const store: Store = {
    ...opened,
    async periodResults(from, to) {
      startedAt = performance.now()
      usedBefore = process.cpuUsage()
      delay.reset()
      return opened.periodResults(from, to)
    },
    async closePeriod(period) {
      const isFirst = await opened.closePeriod(period)
      const ms = performance.now() - startedAt
      const { user, system } = process.cpuUsage(usedBefore)
      const cpuMs = (user + system) / 1_000
      closed.push({ rounds: period.rounds.roundCount, ms, blockedMs: delay.max / 1_000_000, cpuMs })
      return isFirst
    },
  }
  try {
    const { pipeline } = await openDueRounds(store, { contract: realtime, modelCount, minuteCount, log })
    delay.enable()
    await pipeline.settle()
    const full = closed.find(({ rounds }) => rounds === fullPeriod)
    if (full === undefined) {
      throw new Error(`no period of ${fullPeriod} rounds was closed: ${closed.map(({ rounds }) => rounds)}`)
    }
    return { closed: full.ms / 1_000, blocked: full.blockedMs, processor: full.cpuMs / 1_000 }
  } finally {
    delay.disable()
    await store.close()
  }
}
