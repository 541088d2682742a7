import { CrunchError } from '../../domain/errors.ts'

/** What a store answers to a process that still works by the contract of an earlier era. */
export function eraEnded(number: number): CrunchError {
  return new CrunchError(
    'ERA_ENDED',
    `era ${number} is not the current era of this database: this process uses an earlier contract; stop it`,
  )
}
