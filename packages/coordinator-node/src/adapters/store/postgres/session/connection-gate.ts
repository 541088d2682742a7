import type { CrunchError } from '../../../../domain/errors.ts'
import { storeError } from './store-error.ts'

/** Every call of a store passes through it: after its end all calls reject, and errors become the engine's. */
export interface ConnectionGate {
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** From now on every call rejects with this error. Returns `false` if it had already ended: then the first error stays. */
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
