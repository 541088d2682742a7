import type { CrunchError } from '../../../../domain/errors.ts'
import { storeError } from './store-error.ts'

/** What every call of a store goes through: nothing after it has ended, one kind of error. */
export interface ConnectionGate {
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** From now on every call rejects with this. `false`: it had ended already, and that ending counts. */
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
