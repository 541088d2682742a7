import { unavailable } from './store-error.ts'

export interface Deadline {
  readonly url: string
  readonly limitMs: number
  /** Called at the time limit to cancel the work. */
  readonly giveUp: () => void
  /** Completes the sentence "the database URL …". */
  readonly what?: string
}

/** The result of `work`; rejects with `STORE_UNAVAILABLE` at the time limit. */
export async function within<Result>(deadline: Deadline, work: Promise<Result>): Promise<Result> {
  const { url, limitMs, giveUp, what = `did not answer within ${limitMs / 1_000} s` } = deadline
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(url, what))
      giveUp()
    }, limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
