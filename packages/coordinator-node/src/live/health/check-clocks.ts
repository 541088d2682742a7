import { clockBehindRows, clockBesideStore } from '../../domain/progress/clock-trust.ts'
import { clockToleranceMs } from '../settings.ts'
import type { WorkerContext } from '../workers/worker-context.ts'

type ClockContext = Pick<WorkerContext, 'store' | 'clock' | 'settings' | 'log'>

/** Duration of a query, which must not count as clock skew. */
const leastToleranceMs = 1_000
/** With more clock skew, valid rounds could become void, or a period could close before its last round. */
const settlingLimitMs = 60_000

/** Logs at the start of a live worker if its clock contradicts the stored records or the database server's clock. */
export async function logClockFaults({ store, clock, settings, log }: ClockContext): Promise<void> {
  const toleranceMs = Math.max(leastToleranceMs, clockToleranceMs(settings))
  const before = clock.now()
  const storeAt = await store.storeTime()
  const after = clock.now()
  const [feeds, progress] = await Promise.all([store.feedStates(), store.pipelineProgress(after)])
  const faults = [
    clockBehindRows({ ...progress, feeds }, after, toleranceMs),
    clockBesideStore(storeAt, before, after, toleranceMs),
  ]
  for (const fault of faults) {
    if (fault !== null) log.error(fault.what, { event: 'clock', consequence: fault.heldUpBy, fix: fault.fix })
  }
}

/** Checks whether this clock differs too much from the database server's to settle rounds. Logs each change once. */
export function createSettlingGate({ store, clock, settings, log }: ClockContext): () => Promise<boolean> {
  if (settings.FEED_REPLAY_FILES !== undefined) return async () => true
  let isReported = false
  return async () => {
    const before = clock.now()
    const fault = clockBesideStore(await store.storeTime(), before, clock.now(), settlingLimitMs)
    if (fault !== null && !isReported) {
      log.error(`${fault.what}: no round is settled until they agree`, {
        event: 'clock',
        stage: 'score',
        fix: fault.fix,
      })
    }
    if (fault === null && isReported) log.info('the clocks agree again', { event: 'clock', stage: 'score' })
    isReported = fault !== null
    return fault === null
  }
}
