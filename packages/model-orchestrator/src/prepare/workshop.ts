import { rm } from 'node:fs/promises'
import type { Confinement } from '../confine/confinement.ts'
import type { ModelLimits } from '../limit/model-limits.ts'
import type { UsageWatch } from '../limit/watch-usage.ts'
import type { ProcessGuard } from '../process/process-guard.ts'
import { MAX_OUTPUT_MIB, type ProgramEnd, runProgram } from '../process/run-program.ts'
import { measureFolders } from '../submission/measure-folder.ts'

const MIB = 1024 * 1024
/** The minimum for an installer, even if models get less. */
const LOWEST_MEMORY_MIB = 1_024
const LOWEST_PROCESSES = 64
/** The most that one preparation may write. Large machine learning packages take 5 GB. */
const DISK_MIB = 16_384
/** Empty files take no space, but the number of files is limited as well. */
const MAX_FILES = 400_000
const DISK_CHECK_MS = 2_000

/** A program that helps to prepare a submission. */
export interface WorkshopTask {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly programs: readonly string[]
  readonly readable: readonly string[]
  readonly writable: readonly string[]
  readonly loopback?: readonly string[]
  readonly limitMs: number
  readonly signal: AbortSignal
  readonly onLine?: (line: string, error: boolean) => void
}

/** The result of a preparation program. `over` names the exceeded limit; null if none. */
export interface WorkshopEnd extends ProgramEnd {
  readonly over: string | null
}

/** Runs the programs that prepare a submission, confined and limited like models: they may run the author's code. */
export interface Workshop {
  /** Why programs cannot be confined on this machine; null if they are. */
  readonly openBecause: string | null
  run(task: WorkshopTask): Promise<WorkshopEnd>
  /** Calls `use` with a temporary folder for a socket. */
  withSocketFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result>
}

export function createWorkshop(input: {
  readonly confinement: Confinement
  readonly usage: UsageWatch
  readonly guard: ProcessGuard
  readonly limits: ModelLimits
  readonly diskMib?: number
  readonly files?: number
}): Workshop {
  const { confinement, usage, guard } = input
  const diskMib = input.diskMib ?? DISK_MIB
  const files = input.files ?? MAX_FILES
  const limits: ModelLimits = {
    ...input.limits,
    memoryMib: Math.max(input.limits.memoryMib, LOWEST_MEMORY_MIB),
    processes: Math.max(input.limits.processes, LOWEST_PROCESSES),
    // Compiling may use all cores; its duration is limited instead.
    cpuCores: Number.POSITIVE_INFINITY,
  }
  return {
    openBecause: confinement.openBecause,
    async run({ environment, limitMs, signal, onLine, ...task }) {
      const sized = { loopback: [], ...task, fileMib: diskMib, memoryMib: limits.memoryMib }
      const enclosed = confinement.enclose(sized)
      const program = usage.starting(enclosed, limits)
      let over: string | null = null
      let killedBecause: string | null = null
      let stop = async () => program.group.remove()
      const end = await runProgram({
        command: program.command,
        args: program.args,
        directory: enclosed.directory,
        environment,
        limitMs,
        signal,
        guard,
        ...(onLine === undefined ? {} : { onLine }),
        onStart(pid, kill) {
          const onOver = (reason: string) => {
            over ??= reason
            kill()
          }
          const watched = usage.watch(pid, onOver, program)
          const disk = watchDisk(task.writable, { diskMib, files }, onOver)
          stop = async () => {
            disk.close()
            killedBecause = watched.overByItself()
            await watched.end()
          }
        },
      }).finally(() => stop())
      const loud = end.isLoud ? `printed more than ${MAX_OUTPUT_MIB} MiB` : null
      return { ...end, over: over ?? loud ?? killedBecause }
    },
    async withSocketFolder(use) {
      const folder = await confinement.makeFolder()
      try {
        return await use(folder)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

function watchDisk(
  folders: readonly string[],
  limits: { readonly diskMib: number; readonly files: number },
  onOver: (reason: string) => void,
) {
  let timer: NodeJS.Timeout | undefined
  let isClosed = folders.length === 0
  const look = async (): Promise<void> => {
    const { bytes, files, unreadable } = await measureFolders(folders, limits.files)
    const used = Math.round(bytes / MIB)
    if (isClosed) return
    if (used > limits.diskMib) onOver(`wrote ${used} MiB, over its limit of ${limits.diskMib} MiB`)
    else if (files > limits.files) onOver(`created more than ${limits.files} files, its limit`)
    else if (unreadable !== null) onOver(`created a folder whose size cannot be determined (${unreadable})`)
    timer = setTimeout(look, DISK_CHECK_MS)
  }
  if (!isClosed) timer = setTimeout(look, DISK_CHECK_MS)
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
