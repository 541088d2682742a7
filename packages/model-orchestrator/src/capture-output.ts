import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { errorText } from './orchestrator-error.ts'
import type { LogLimits, RunLog } from './run-log.ts'

/** A longer line goes on as the next entry. */
const MAX_LINE_CHARACTERS = 16 * 1024

/**
 * Copies a process's output into its log, line by line. Reading stops while the log is being written and while the run
 * is over its budget: the pipe fills and the model's own `print` waits, so endless output costs neither memory nor
 * disk nor the orchestrator's time.
 */
export function captureOutput(input: {
  readonly stdout: Readable
  readonly stderr: Readable
  readonly runLog: RunLog
  readonly limits: LogLimits
  readonly onHeldBack: () => void
}): { readonly finish: (limitMs: number) => Promise<void> } {
  const budget = createBudget(input.limits, input.onHeldBack)
  const copies = Promise.all([
    copyLines(input.stdout, false, input.runLog, budget),
    copyLines(input.stderr, true, input.runLog, budget),
  ])
  return {
    /** Call it when the process has ended: takes what is left in the pipes, for at most `limitMs`. */
    async finish(limitMs) {
      budget.lift()
      // A grandchild that left the group may hold the pipe open for ever.
      const timer = setTimeout(() => {
        input.stdout.destroy()
        input.stderr.destroy()
      }, limitMs)
      await copies
      clearTimeout(timer)
    },
  }
}

async function copyLines(stream: Readable, error: boolean, runLog: RunLog, budget: Budget): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const append = (messages: readonly string[]) =>
    runLog.append(messages.map((message) => ({ message, error, emitter: 'user-code' })))
  try {
    for await (const chunk of stream) {
      const bytes: Buffer = chunk
      const lines = splitLines(rest + decoder.write(bytes))
      rest = lines.pop() ?? ''
      await append(lines)
      await budget.spend(bytes.length)
    }
  } catch (cause) {
    if (!isPrematureClose(cause)) {
      const message = `the output can no longer be read: ${errorText(cause)}`
      await runLog.append([{ message, error: true, emitter: 'service' }])
    }
  }
  rest += decoder.end()
  if (rest !== '') await append([rest])
}

/** What our own `destroy` looks like to the reader. */
function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** Lines without their ends; the last one is not complete yet. */
function splitLines(text: string): string[] {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const whole = line.endsWith('\r') ? line.slice(0, -1) : line
    for (let start = 0; start < Math.max(1, whole.length); start += MAX_LINE_CHARACTERS) {
      lines.push(whole.slice(start, start + MAX_LINE_CHARACTERS))
    }
  }
  return lines
}

interface Budget {
  /** Waits for as long as the run is over its budget. */
  spend(bytes: number): Promise<void>
  /** No more waiting, for those who wait now and later. */
  lift(): void
}

function createBudget(limits: LogLimits, onHeldBack: () => void): Budget {
  let available = limits.burstBytes
  let countedAt = performance.now()
  let lifted = false
  let heldBack = false
  const wake = new Set<() => void>()
  return {
    async spend(bytes) {
      const now = performance.now()
      available = Math.min(limits.burstBytes, available + ((now - countedAt) / 1_000) * limits.bytesPerSecond) - bytes
      countedAt = now
      if (available >= 0 || lifted) return
      if (!heldBack) onHeldBack()
      heldBack = true
      const waitMs = (-available / limits.bytesPerSecond) * 1_000
      await new Promise<void>((resolve) => {
        const go = () => {
          clearTimeout(timer)
          wake.delete(go)
          resolve()
        }
        const timer = setTimeout(go, waitMs)
        wake.add(go)
      })
    },
    lift() {
      lifted = true
      for (const go of [...wake]) go()
    },
  }
}
