import { formatInstant } from '../../../domain/time.ts'
import type { LeaseState } from '../../../ports/store-workers.ts'

/** A holder writes a heartbeat every 2 s, and stops by itself after 10 s without one. */
const silenceLimitMs = 10_000

/** Why no round can open according to the lease on predicting; `null` while its holder sends heartbeats. */
export function leaseReason(lease: LeaseState | null): string | null {
  if (lease === null) return null
  const { holder, silentMs, heartbeatAt } = lease
  const since = formatInstant(heartbeatAt)
  // A heartbeat in the future does not count: the database's clock was set back since.
  if (Math.abs(silentMs) <= silenceLimitMs) return null
  if (holder === null) return `no rounds can open: no predict worker has been active since ${since}`
  const seconds = Math.round(silentMs / 1_000)
  return `no rounds can open: the predict worker that holds the lease (${holder}) has been silent since ${since}, for ${seconds} s`
}

/** The lease on predicting as the API shows it. */
export function leaseRow({ holder, takenAt, heartbeatAt, silentMs }: LeaseState) {
  return { holder, taken_at: formatInstant(takenAt), heartbeat_at: formatInstant(heartbeatAt), silent_ms: silentMs }
}
