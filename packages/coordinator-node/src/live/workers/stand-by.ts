import { formatInstant } from '../../domain/time.ts'
import type { LeaseState } from '../../ports/store-workers.ts'
import type { WorkerContext } from './worker-context.ts'

/** A lease holder writes a heartbeat every 2 s; one that has been silent for this long has a problem. */
const silenceMs = 6_000

/**
 * Logs which process opens the rounds while this one stands by: once per holder, and when the holder falls silent.
 */
export function createStandByLog({ log }: Pick<WorkerContext, 'log'>): (state: LeaseState | null) => void {
  let logged = ''
  let isSilent = false
  return (state) => {
    const fields = { stage: 'prediction', event: 'standing-by', ...leaseFields(state) }
    const now = `${state?.holder} since ${state?.takenAt}`
    if (now !== logged) {
      log.info('another predict worker is active; standing by', fields)
      isSilent = false
    }
    logged = now
    const wasSilent = isSilent
    isSilent = state !== null && state.silentMs > silenceMs
    if (isSilent && !wasSilent) {
      log.warn('the active predict worker is silent; this one takes over after 20 s without a heartbeat', fields)
    }
    if (!isSilent && wasSilent) log.info('the active predict worker has a heartbeat again', fields)
  }
}

export function leaseFields(state: LeaseState | null) {
  return {
    holder: state?.holder ?? null,
    heldSince: state === null ? null : formatInstant(state.takenAt),
    heartbeatAgeMs: state?.silentMs ?? null,
  }
}
