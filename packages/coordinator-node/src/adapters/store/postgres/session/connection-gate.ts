import type { CrunchError } from '../../../../domain/errors.ts'
import { storeError } from './store-error.ts'

/** All calls of a store pass through it. It converts errors to the engine's, and rejects all calls after its end. */
export interface ConnectionGate {
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** From now on all calls reject with this error. Returns `false` if the gate had already ended; then the first error stays. */
  end(error: CrunchError): boolean
}

export function createConnectionGate(url: string): ConnectionGate {
  let ended: CrunchError | undefined
  return {
    async run(work) {
      if (ended !== undefined) throw ended
      try {
        return await work()
      } catch (error) {
        throw ended ?? storeError(error, url)
      }
    },
    end(error) {
      const isFirst = ended === undefined
      ended ??= error
      return isFirst
    },
  }
}
