import { clockBehindRows, clockBesideStore } from '../../domain/progress/clock-trust.ts'
import { clockToleranceMs } from '../settings.ts'
import type { WorkerContext } from '../workers/worker-context.ts'

type ClockContext = Pick<WorkerContext, 'store' | 'clock' | 'settings' | 'log'>

/** What a query takes is no difference between two clocks. */
const leastToleranceMs = 1_000
/** A clock that is wrong by more could void rounds that are well, or close a period before its last round. */
const settlingLimitMs = 60_000

/** Says at the start of a live worker that its clock cannot be right, by what is stored and by the database server's clock. */
export async function tellClockFaults({ store, clock, settings, log }: ClockContext): Promise<void> {
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

/** Asks whether this clock is so far from the database server's that nothing may be settled by it. Says so once a change. */
export function createSettlingGate({ store, clock, settings, log }: ClockContext): () => Promise<boolean> {
  if (settings.FEED_REPLAY_FILES !== undefined) return async () => true
  let isTold = false
  return async () => {
    const before = clock.now()
    const fault = clockBesideStore(await store.storeTime(), before, clock.now(), settlingLimitMs)
    if (fault !== null && !isTold) {
      log.error(`${fault.what}: no round is settled until they agree`, {
        event: 'clock',
        stage: 'score',
        fix: fault.fix,
      })
    }
    if (fault === null && isTold) log.info('the clocks agree again', { event: 'clock', stage: 'score' })
    isTold = fault !== null
    return fault === null
  }
}
