import { backOffMs } from './back-off.ts'

export interface LoaderOptions<Data> {
  readonly read: (signal: AbortSignal) => Promise<Data>
  readonly onData: (data: Data) => void
  /** `final`: asking again by itself would change nothing. */
  readonly onError: (error: unknown) => 'final' | undefined
  /** Reads again so long after each success, in ms; absent: only when asked. */
  readonly everyMs?: number | undefined
}

export interface Loader {
  load(): void
  /** The data are known otherwise: forgets the request that runs, and waits as after a success. */
  skip(): void
  /** Forgets the request that runs, and reads nothing by itself. */
  cancel(): void
}

/** Reads with one request at a time: what is asked for meanwhile is read after it. After an error it tries again, ever more slowly. */
export function createLoader<Data>({ read, onData, onError, everyMs }: LoaderOptions<Data>): Loader {
  let running: AbortController | null = null
  let isDue = false
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    if (running !== null) {
      isDue = true
      return
    }
    clearTimeout(timer)
    const attempt = new AbortController()
    running = attempt
    const error = await read(attempt.signal).then(
      (data) => {
        if (!attempt.signal.aborted) onData(data)
        return null
      },
      (cause: unknown) => ({ cause }),
    )
    if (attempt.signal.aborted) return
    running = null
    failures = error === null ? 0 : failures + 1
    const isFinal = error !== null && onError(error.cause) === 'final'
    if (isDue) {
      isDue = false
      void load()
    } else if (isFinal) failures = 0
    else if (failures > 0) timer = setTimeout(load, backOffMs(failures))
    else if (everyMs !== undefined) timer = setTimeout(load, everyMs)
  }

  function cancel(): void {
    clearTimeout(timer)
    running?.abort()
    running = null
    isDue = false
  }

  return {
    load: () => void load(),
    skip() {
      cancel()
      if (everyMs !== undefined) timer = setTimeout(load, everyMs)
    },
    cancel,
  }
}
