import { unavailable } from './store-error.ts'

export interface Deadline {
  readonly url: string
  readonly limitMs: number
  /** Ends what the work waits for, when its time is up. */
  readonly giveUp: () => void
}

/** What `work` answers, or `STORE_UNAVAILABLE` once the time is up. */
export async function within<Result>({ url, limitMs, giveUp }: Deadline, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(url, `did not answer within ${limitMs / 1_000} s`))
      giveUp()
    }, limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
