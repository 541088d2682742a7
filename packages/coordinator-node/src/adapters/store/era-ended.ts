import { CrunchError } from '../../domain/errors.ts'

/** The error for a process that still uses the contract of an earlier era. */
export function eraEnded(number: number): CrunchError {
  return new CrunchError(
    'ERA_ENDED',
    `era ${number} is not the current era of this database: this process uses an earlier contract; stop it`,
  )
}
