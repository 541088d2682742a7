import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { errorText } from '@crunch/local-processes/errors'
import { signalGroup } from './process-group.ts'
import type { ProcessGuard } from './process-guard.ts'

const MAX_LINE_CHARACTERS = 2_000
const MAX_STDOUT_LINES = 1_000
/** No installer prints so much; a build that does keeps us from our work. */
export const MAX_OUTPUT_MIB = 64
const MIB = 1024 * 1024

/** How a program of ours ended. */
export interface ProgramEnd {
  /** Null when it was ended by a signal, the time limit among them. */
  readonly code: number | null
  readonly isLate: boolean
  /** It was ended because it printed more than `MAX_OUTPUT_MIB`. */
  readonly isLoud: boolean
  /** What it printed to stdout, its first 1,000 lines. */
  readonly stdout: readonly string[]
}

/**
 * Runs a program that helps to prepare a model, as the leader of its own process group, which ends with us. `onLine`
 * gets each line it prints. Rejects with the signal's reason when `signal` aborts, and when the program cannot be
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
  /** Called once with its pid, and with what kills it. */
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
  // What it started would keep its pipes open, and `close` would never come.
  child.once('exit', end)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  guard.forget(pid)
  signal.throwIfAborted()
  return { code, isLate, isLoud: isLoud(), stdout }
}

/** Of a line only its beginning is kept while it is read: it may have no end. `count` says whether to go on. */
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
