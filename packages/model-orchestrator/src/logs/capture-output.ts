import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { errorText } from '@crunch/local-processes/errors'
import type { LogLimits, RunLog } from './run-log.ts'

/** Longer lines are split into several entries. */
const MAX_LINE_CHARACTERS = 16 * 1024

/** How long to read what an ended process left in its pipes: at most a few kilobytes. */
const FINISH_LIMIT_MS = 1_000

/**
 * Copies a process's output into its log, line by line, one chunk after the other. Output over the run's budget is
 * dropped and counted in the log, but still read: Node buffers writes to a full pipe, so the memory of a model whose
 * output is not read grows without bound. Above the flood limit, `onFlood` must end the run.
 */
export function captureOutput(input: {
  readonly stdout: Readable
  readonly stderr: Readable
  readonly runLog: RunLog
  readonly limits: LogLimits
  readonly onFlood: () => void
}): { readonly finish: () => Promise<void> } {
  const { runLog, limits } = input
  const kept = createBudget(limits.bytesPerSecond, limits.burstBytes)
  const read = createBudget(limits.floodBytesPerSecond, limits.floodBytes)
  const admit = (bytes: number) => {
    if (!read(bytes)) input.onFlood()
    return kept(bytes)
  }
  const copies = Promise.all([
    copyLines(input.stdout, false, runLog, admit),
    copyLines(input.stderr, true, runLog, admit),
  ])
  return {
    /** Call it after the process has ended: reads the rest of the pipes, for at most a second. */
    async finish() {
      // A grandchild that left the group may hold the pipe open forever.
      const timer = setTimeout(() => {
        input.stdout.destroy()
        input.stderr.destroy()
      }, FINISH_LIMIT_MS)
      await copies
      clearTimeout(timer)
    },
  }
}

async function copyLines(
  stream: Readable,
  error: boolean,
  runLog: RunLog,
  admit: (bytes: number) => boolean,
): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let droppedBytes = 0
  const append = (messages: readonly string[]) =>
    runLog.append(messages.map((message) => ({ message, error, emitter: 'user-code' })))
  const say = (message: string) => runLog.append([{ message, error: true, emitter: 'service' }])
  const sayDropped = async () => {
    if (droppedBytes > 0) await say(`${droppedBytes} bytes were dropped here: the model prints too much`)
    droppedBytes = 0
  }
  try {
    for await (const chunk of stream) {
      const bytes: Buffer = chunk
      if (!admit(bytes.length)) {
        if (rest !== '') await append([rest])
        rest = ''
        droppedBytes += bytes.length
        continue
      }
      await sayDropped()
      const lines = splitLines(rest + decoder.write(bytes))
      rest = lines.pop() ?? ''
      await append(lines)
    }
  } catch (cause) {
    if (!isPrematureClose(cause)) await say(`the output can no longer be read: ${errorText(cause)}`)
  }
  await sayDropped()
  rest += decoder.end()
  if (rest !== '') await append([rest])
}

/** Whether the error only reports our own `destroy`. */
function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** Splits text into lines without their ends; the last one may be incomplete. */
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

/** Returns whether so many more bytes are within the average and the burst; refused bytes are not counted. */
function createBudget(bytesPerSecond: number, burstBytes: number): (bytes: number) => boolean {
  let available = burstBytes
  let countedAtMs = performance.now()
  return (bytes) => {
    const nowMs = performance.now()
    available = Math.min(burstBytes, available + ((nowMs - countedAtMs) / 1_000) * bytesPerSecond)
    countedAtMs = nowMs
    if (bytes > available) return false
    available -= bytes
    return true
  }
}
