import type { CrunchError } from '../../../domain/errors.ts'
import { statementTimeoutMs } from './connect.ts'
import { storeError, unavailable } from './store-error.ts'

/** What every call of a store goes through: nothing after it has ended, nothing without an end, one kind of error. */
export interface ConnectionGate {
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** From now on every call rejects with this. `false`: it had ended already, and that ending counts. */
  end(error: CrunchError): boolean
}

/** Longer than a transaction of a few statements may take, so it only ends calls whose connection fell silent. */
const callTimeoutMs = statementTimeoutMs * 1.5

export function createConnectionGate(url: string): ConnectionGate {
  let ended: CrunchError | undefined
  return {
    async run(work) {
      if (ended !== undefined) throw ended
      try {
        return await withDeadline(work(), url)
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

async function withDeadline<Result>(work: Promise<Result>, url: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    const late = () => reject(unavailable(url, `did not answer within ${callTimeoutMs / 1_000} s`))
    timer = setTimeout(late, callTimeoutMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
