import { whenMissing } from '@crunch/local-processes'
import type { ProcessTable } from '../process/process-table.ts'
import { findMembers, type Watched } from './watched-model.ts'

/** A fork bomb grows while it is being killed, so the search is repeated at once, at most this often. */
const MAX_SWEEPS = 20

/** Finds the processes of the watched models, and kills them. */
export function trackMembers(table: ProcessTable, models: ReadonlySet<Watched>) {
  const { read, setForeign } = table

  async function update(): Promise<readonly Watched[]> {
    const processes = await read()
    const watched = [...models]
    const ours = new Set<number>()
    for (const model of watched) {
      model.members = findMembers(model, processes)
      for (const pid of model.members.keys()) ours.add(pid)
    }
    // A child of this process may become a watched model a moment later.
    setForeign(processes.filter((one) => !ours.has(one.pid) && one.parentPid !== process.pid).map(({ pid }) => pid))
    return watched
  }

  /** Stops all processes before it kills the first: children of a dead parent could not be recognised. */
  async function kill(doomed: readonly Watched[]): Promise<void> {
    const alive = () => doomed.flatMap(({ members }) => [...members.values()].filter(({ isZombie }) => !isZombie))
    for (let sweep = 0, held = 0; sweep < MAX_SWEEPS && alive().length > held; sweep += 1) {
      held = alive().length
      for (const { pid } of alive()) signalOne(pid, 'SIGSTOP')
      await update()
    }
    for (let sweep = 0; sweep < MAX_SWEEPS && alive().length > 0; sweep += 1) {
      for (const { pid } of alive()) signalOne(pid, 'SIGKILL')
      await update()
    }
  }

  return { update, kill }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // The process has ended meanwhile, or now belongs to another user, which only root can cause.
    whenMissing(undefined, ['ESRCH', 'EPERM'])(error)
  }
}
