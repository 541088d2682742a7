import { type ChildProcess, spawn } from 'node:child_process'
import type { OrchestratorLog } from '../log.ts'

/**
 * A shell that reads a pipe of this process. When this process dies, even by kill -9, the pipe ends and the shell kills
 * the process groups that are still watched. Runners also exit by themselves then, but the programs that their models
 * started do not, and a runner in another language may hang in its model's loop.
 */
const GUARD_SCRIPT = `
groups=
folder=
while read -r verb group; do
  if [ "$verb" = folder ]; then folder=$group; continue; fi
  kept=
  for known in $groups; do [ "$known" = "$group" ] || kept="$kept $known"; done
  groups=$kept
  if [ "$verb" = watch ]; then groups="$groups $group"; fi
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
[ -z "$folder" ] || rm -rf -- "$folder"
`

/** If the guard has died this often, another program keeps killing it, and a restart does not help. */
const MAX_RESTARTS = 100

/** Kills watched process groups when this process dies. */
export interface ProcessGuard {
  /** The current guard shell. */
  readonly pid: number | undefined
  watch(groupLeaderPid: number): void
  forget(groupLeaderPid: number): void
  /** Removes this folder when this process ends, even if it is killed. */
  removeFolder(path: string): void
  close(): void
}

/** Starts the guard; when it is killed, another one takes over with the same groups. */
export function startProcessGuard(log: OrchestratorLog): ProcessGuard {
  const watched = new Set<number>()
  let folder: string | null = null
  let closed = false
  let restarts = 0
  let guard = launch()

  function launch(): ChildProcess {
    // A separate session: Ctrl-C in the terminal must not end the guard before this process.
    const child = spawn('/bin/sh', ['-c', GUARD_SCRIPT], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
    })
    let ended = false
    const onEnd = (reason: string) => {
      if (ended || closed) return
      ended = true
      restarts += 1
      log.warn('process guard ended', { reason, restarts })
      if (restarts <= MAX_RESTARTS) guard = launch()
      else log.error('the process guard failed; models may outlive this process if it is killed', { restarts })
    }
    child.on('error', (error) => onEnd(error.message))
    child.on('exit', (code, signal) => onEnd(signal ?? `code ${code}`))
    // A write to a guard that was just killed may fail; the next guard gets all entries again.
    child.stdin?.on('error', () => undefined)
    child.unref()
    if (folder !== null) child.stdin?.write(`folder ${folder}\n`)
    for (const pid of watched) child.stdin?.write(`watch ${pid}\n`)
    return child
  }

  return {
    get pid() {
      return guard.pid
    },
    watch(pid) {
      watched.add(pid)
      guard.stdin?.write(`watch ${pid}\n`)
    },
    forget(pid) {
      watched.delete(pid)
      guard.stdin?.write(`forget ${pid}\n`)
    },
    removeFolder(path) {
      folder = path
      guard.stdin?.write(`folder ${path}\n`)
    },
    close() {
      closed = true
      guard.stdin?.end()
    },
  }
}
