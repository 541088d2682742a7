import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { steadyNodeArguments } from '@crunch/coordinator-node/internal'
import { type ChildValue, childAnswer } from './parent-link.ts'

const stopLimitMs = 15_000
const outputLimit = 20_000

export interface ChildOptions {
  readonly module: URL
  readonly input: Readonly<Record<string, unknown>>
  /** Aborts the child. */
  readonly signal: AbortSignal
  /** Additional Node arguments, e.g. for profiles. */
  readonly nodeArguments?: readonly string[]
}

/** A child process that serves until it is stopped. */
export interface ServingChild {
  readonly value: ChildValue
  /** Disconnects from the child and waits for its end; kills it when that takes too long. */
  stop(): Promise<void>
}

/** Runs a child process to its end and returns its answer. Rejects with the child's problem. */
export async function runChild(options: ChildOptions): Promise<ChildValue> {
  const { value, stop } = await startChild(options)
  await stop()
  return value
}

/** Starts a child process and returns its answer while it keeps running. */
export async function startChild(options: ChildOptions): Promise<ServingChild> {
  const { module, input, signal, nodeArguments = [] } = options
  signal.throwIfAborted()
  const child = fork(fileURLToPath(module), [JSON.stringify(input)], {
    execArgv: [...ownArguments(), ...nodeArguments],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // In its own session, like each service of a deployment, because Linux distributes CPU time by session.
    detached: process.platform !== 'win32',
  })
  const output = keepOutput(child)
  const end = once(child, 'exit')
  try {
    const [first] = await Promise.race([
      once(child, 'message', { signal }),
      end.then(([code, killedBy]) => {
        throw new Error(`${module.pathname} ended with ${killedBy ?? code} and no answer\n${output()}`)
      }),
    ])
    const answer = childAnswer.parse(first)
    if ('problem' in answer) throw new Error(`${module.pathname}: ${answer.problem}\n${output()}`)
    return { value: answer.value, stop: () => stopChild(child, end) }
  } catch (error) {
    await stopChild(child, end)
    throw error
  }
}

/** The Node arguments of this process (e.g. for TypeScript), without those that only some processes of a node have. */
function ownArguments(): readonly string[] {
  return process.execArgv.filter((argument) => !steadyNodeArguments.includes(argument))
}

async function stopChild(child: ChildProcess, end: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (child.connected) child.disconnect()
  const givingUp = new AbortController()
  const late = setTimeout(stopLimitMs, 'late', { signal: givingUp.signal }).catch(() => 'ended')
  if ((await Promise.race([end, late])) === 'late') {
    child.kill('SIGKILL')
    await end
  }
  givingUp.abort()
}

/** The last output of a child, for error messages. */
function keepOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-outputLimit)
    })
  }
  return () => text.trimEnd()
}
