import { CrunchError } from '../../domain/errors.ts'
import type { Round } from '../../domain/round.ts'
import { formatInstant } from '../../domain/time.ts'

/** The error for a round whose result no leaderboard would include. */
export function periodClosed({ id, resolvableAt }: Round): CrunchError {
  return new CrunchError(
    'PERIOD_CLOSED',
    `round ${id} cannot open: the period that contains its horizon, ${formatInstant(resolvableAt)}, is closed; the clock was ahead when it closed, or is behind now: correct the clock`,
  )
}
