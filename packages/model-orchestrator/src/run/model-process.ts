import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { errorText } from '@crunch/local-processes/errors'
import { signalGroup } from '../process/process-group.ts'
import type { ProcessGuard } from '../process/process-guard.ts'
import { RunFailure } from '../run-failure.ts'

/** A process in an uninterruptible wait dies late after SIGKILL; the orchestrator waits no longer than this. */
const KILL_GRACE_MS = 1_000

/** How a process ended: exactly one of the two fields is set. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that leads its own group, so that its child processes end with it. */
export interface ModelProcess {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable
  readonly ended: Promise<ProcessEnd>
  /** Sends SIGTERM to the group, and SIGKILL after `graceMs`. False if the process still exists a second later. */
  terminate(graceMs: number): Promise<boolean>
}

/** Spawns the program. Throws a `RUN_FAILED` run failure if it cannot be executed. */
export async function spawnModelProcess(input: {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  /** A shell runs the program and reports a signal that ended it as an exit code of 128 or more. */
  readonly isInShell: boolean
  readonly guard: ProcessGuard
}): Promise<ModelProcess> {
  // stdin is a pipe that is never written to: its end tells the runner that this process has exited.
  const child = spawn(input.command, input.args, {
    cwd: input.directory,
    env: input.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin?.on('error', () => undefined) // A model may close its stdin; the pipe is never written to.
  const { pid } = child
  if (pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once('error', resolve))
    throw new RunFailure('RUN_FAILED', `${input.command} cannot be started: ${errorText(error)}`, { cause: error })
  }
  input.guard.watch(pid)
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL')
      input.guard.forget(pid)
      resolve(input.isInShell ? endInShell(code, signal) : { code, signal })
    })
  })
  child.on('error', () => undefined) // After a successful spawn this is a failed signal, which `terminate` notices.
  return {
    pid,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    async terminate(graceMs) {
      if (child.exitCode !== null || child.signalCode !== null) return true
      signalGroup(pid, 'SIGTERM')
      if (await endsWithin(ended, graceMs)) return true
      signalGroup(pid, 'SIGKILL')
      return endsWithin(ended, KILL_GRACE_MS)
    },
  }
}

function endInShell(code: number | null, signal: NodeJS.Signals | null): ProcessEnd {
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][]
  const signalName = names.find(([, number]) => code === 128 + number)?.[0]
  return signalName === undefined ? { code, signal } : { code: null, signal: signalName }
}

/** Whether `ended` resolves in time. */
async function endsWithin(ended: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  try {
    return await Promise.race([ended.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
