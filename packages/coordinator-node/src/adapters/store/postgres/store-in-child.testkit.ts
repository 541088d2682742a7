import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Opens a store in its own process, with an optional lease. */
export function openStoreInChild(url: string, leaseName = ''): ChildProcess {
  const script = fileURLToPath(new URL('./open-store-in-child.mjs', import.meta.url))
  return spawn(process.execPath, [script, url, leaseName], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** The line a child writes once its store is open. */
export async function outcomeOf(child: ChildProcess): Promise<{ readonly hasLease: boolean }> {
  return nextLine(child)
}

/** Makes a child try the writes of predicting, and returns the result. The child may be stopped in between. */
export async function writesInChild(child: ChildProcess, modelId: string): Promise<readonly string[]> {
  child.stdin?.write(`${modelId}\n`)
  return (await nextLine<{ readonly outcomes: readonly string[] }>(child)).outcomes
}

async function nextLine<Line>(child: ChildProcess): Promise<Line> {
  if (child.stdout === null) throw new Error('the child has no standard output')
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line)
  throw new Error('the child ended without an answer')
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
