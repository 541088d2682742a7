import { readFileSync } from 'node:fs'
import { processCommand, processIdentity } from '@crunch/local-processes'

const LOOK_EVERY_MS = 1_000
/** Between npx and the program there are at most a few shells. */
const MAX_ANCESTORS = 5
const LAUNCHER = /^(\S*\/)?(npm|npx|pnpm|yarn|bun)\b|\/(npm|npx|pnpm|yarn)(-cli)?(\.c?js)?( |$)/

/**
 * Resolves when the launcher of this process (npx, npm, pnpm, yarn), or a shell between them, has ended. A killed launcher
 * does not forward the signal, so this process would keep running unnoticed. Never resolves without a launcher: a program
 * that was started in the background may outlive its shell.
 */
export async function launcherEnded(): Promise<void> {
  const chain = findLauncher()
  if (chain.length === 0) return new Promise(() => undefined)
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (chain.every(({ pid, identity }) => processIdentity(pid) === identity)) return
      clearInterval(timer)
      resolve()
    }, LOOK_EVERY_MS)
    timer.unref()
  })
}

interface Ancestor {
  readonly pid: number
  readonly identity: string | undefined
}

/**
 * The ancestors from the parent up to the launcher; empty if there is none. A process in another session than its
 * launcher, such as a supervisor in the background, is meant to outlive it.
 */
function findLauncher(): readonly Ancestor[] {
  const chain: Ancestor[] = []
  const session = readStat(process.pid)?.session
  for (let pid = process.ppid; pid > 1 && chain.length < MAX_ANCESTORS; ) {
    const stat = readStat(pid)
    if (stat?.session !== session) return []
    chain.push({ pid, identity: processIdentity(pid) })
    if (LAUNCHER.test(processCommand(pid) ?? '')) return chain
    pid = stat?.parentPid ?? 0
  }
  return []
}

/** Null outside Linux, where only the parent itself is checked. */
function readStat(pid: number): { readonly parentPid: number; readonly session: string | undefined } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parentPid, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parentPid: Number(parentPid), session }
  } catch {
    return null
  }
}
