import { type ChildProcess, spawn } from 'node:child_process'
import type { OrchestratorLog } from '../log.ts'

/**
 * A shell that holds the end of a pipe of ours. When we die in any way, kill -9 among them, it reads the end of the
 * pipe and kills the process groups that are still being watched. Runners end themselves then, but not the programs
 * that their models started, and a runner in another language may hang in its model's loop.
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

/** After this many deaths of the guard something keeps killing it, and starting it again is no help. */
const MAX_RESTARTS = 100

/** Ends watched process groups when this process dies. */
export interface ProcessGuard {
  /** The current guard shell. */
  readonly pid: number | undefined
  watch(groupLeaderPid: number): void
  forget(groupLeaderPid: number): void
  /** Removes this folder in the end, also when it ends because we were killed. */
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
    // Its own session: Ctrl-C in the terminal must not end the guard before us.
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
    // A write to a guard that was just killed; its exit event starts the next one, which gets all entries again.
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
