import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { errorText } from '@crunch/local-processes/errors'
import { signalGroup } from './process-group.ts'
import type { ProcessGuard } from './process-guard.ts'

const MAX_LINE_CHARACTERS = 2_000
const MAX_STDOUT_LINES = 1_000
/** More than any installer prints; the output of a runaway build would block this process. */
export const MAX_OUTPUT_MIB = 64
const MIB = 1024 * 1024

/** How a preparation program ended. */
export interface ProgramEnd {
  /** Null if a signal ended it, for example at the time limit. */
  readonly code: number | null
  readonly isLate: boolean
  /** Whether it was killed because it printed more than `MAX_OUTPUT_MIB`. */
  readonly isLoud: boolean
  /** The first 1,000 lines of stdout. */
  readonly stdout: readonly string[]
}

/**
 * Runs a program that helps to prepare a model. It leads its own process group, which is killed when this process ends.
 * `onLine` gets each printed line. Rejects with the signal's reason when `signal` aborts, and if the program cannot be
 * executed.
 */
export async function runProgram(input: {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly limitMs: number
  readonly signal: AbortSignal
  readonly guard: ProcessGuard
  readonly onLine?: (line: string, error: boolean) => void
  /** Called once with the pid and a function that kills the program. */
  readonly onStart?: (pid: number, kill: () => void) => void
}): Promise<ProgramEnd> {
  const { command, signal, guard, onLine } = input
  signal.throwIfAborted()
  const child = spawn(command, input.args, {
    cwd: input.directory,
    env: input.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once('error', resolve))
    throw new Error(`${command} cannot be started: ${errorText(error)}`, { cause: error })
  }
  guard.watch(pid)
  const stdout: string[] = []
  let isLate = false
  let printedBytes = 0
  const end = () => signalGroup(pid, 'SIGKILL')
  const isLoud = () => printedBytes > MAX_OUTPUT_MIB * MIB
  const count = (bytes: number): boolean => {
    printedBytes += bytes
    if (isLoud()) end()
    return !isLoud()
  }
  readLines(child.stdout, count, (line) => {
    if (stdout.length < MAX_STDOUT_LINES) stdout.push(line)
    onLine?.(line, false)
  })
  readLines(child.stderr, count, (line) => onLine?.(line, true))
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, input.limitMs)
  signal.addEventListener('abort', end, { once: true })
  input.onStart?.(pid, end)
  // Remaining child processes would keep the pipes open, so `close` would never be emitted.
  child.once('exit', end)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  guard.forget(pid)
  signal.throwIfAborted()
  return { code, isLate, isLoud: isLoud(), stdout }
}

/** Keeps only the beginning of each line, since a line may be endless. `count` returns whether to keep reading. */
function readLines(stream: Readable, count: (bytes: number) => boolean, take: (line: string) => void): void {
  let line = ''
  const add = (text: string) => {
    line = (line + text.slice(0, MAX_LINE_CHARACTERS)).slice(0, MAX_LINE_CHARACTERS)
  }
  const finish = () => {
    take(line.replace(/\r$/, ''))
    line = ''
  }
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    if (!count(Buffer.byteLength(chunk))) return
    const parts = chunk.split('\n')
    for (const [index, part] of parts.entries()) {
      add(part)
      if (index < parts.length - 1) finish()
    }
  })
  stream.on('end', () => {
    if (line !== '') finish()
  })
}
