import { CrunchError } from '../../domain/errors.ts'

export function unknownCheckpoint(id: string): CrunchError {
  return new CrunchError('NOT_FOUND', `there is no checkpoint "${id}"`)
}
