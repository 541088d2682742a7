import { formatInstant } from '../../domain/time.ts'
import type { LeaseState } from '../../ports/store.ts'
import type { WorkerContext } from './worker-context.ts'

/** A holder writes a heartbeat every 2 s; one that has been silent for so long is in trouble. */
const silenceMs = 6_000

/** Says who opens the rounds while this process stands by: once for each holder, and when that one falls silent. */
export function createStandByLog({ log }: Pick<WorkerContext, 'log'>): (state: LeaseState | null) => void {
  let told = ''
  let isSilent = false
  return (state) => {
    const fields = { stage: 'prediction', event: 'standing-by', ...leaseFields(state) }
    const now = `${state?.holder} since ${state?.takenAt}`
    if (now !== told) {
      log.info('another predict worker is at work; standing by', fields)
      isSilent = false
    }
    told = now
    const wasSilent = isSilent
    isSilent = state !== null && state.silentMs > silenceMs
    if (isSilent && !wasSilent) {
      log.warn(
        'the predict worker that opens the rounds is silent; this one takes over after 20 s without a heartbeat',
        fields,
      )
    }
    if (!isSilent && wasSilent) log.info('the predict worker that opens the rounds is heard again', fields)
  }
}

export function leaseFields(state: LeaseState | null) {
  return {
    holder: state?.holder ?? null,
    heldSince: state === null ? null : formatInstant(state.takenAt),
    heartbeatAgeMs: state?.silentMs ?? null,
  }
}
