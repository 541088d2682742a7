import { CrunchError } from '../../domain/errors.ts'

/** The error for a write of a predict worker whose lease another process has taken over. */
export function lostLease(): CrunchError {
  const fix =
    'this process can no longer write rounds, answers, models or schedules: stop it; a restarted one stands by'
  return new CrunchError('LEASE_HELD', `another process has taken over the lease on predicting; ${fix}`)
}
