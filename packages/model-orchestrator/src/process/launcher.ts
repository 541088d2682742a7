import { readFileSync } from 'node:fs'
import { processCommand, processIdentity } from '@crunch/local-processes'

const LOOK_EVERY_MS = 1_000
/** Between npx and a program there are at most a few shells. */
const MAX_ANCESTORS = 5
const LAUNCHER = /^(\S*\/)?(npm|npx|pnpm|yarn|bun)\b|\/(npm|npx|pnpm|yarn)(-cli)?(\.c?js)?( |$)/

/**
 * Resolves when the npx (or npm, pnpm, yarn) that started this process has ended, or a shell between them. It may be killed
 * without passing the signal on, and then nobody would know that this process still runs. Never resolves without one: a
 * program that was started in the background may outlive its shell.
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
 * From our parent up to the launcher; empty when there is none. What began a session of its own since, such as a
 * supervisor in the background, is meant to outlive its launcher.
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

/** Null elsewhere than on Linux, where only the parent itself is looked at. */
function readStat(pid: number): { readonly parentPid: number; readonly session: string | undefined } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parentPid, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parentPid: Number(parentPid), session }
  } catch {
    return null
  }
}
