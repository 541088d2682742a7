import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'

/** What one process has used until now. */
export interface ProcessUsage {
  readonly pid: number
  readonly parentPid: number
  /** Its session on Linux, its process group elsewhere: what a process started by a model belongs to unless it hides. */
  readonly groupId: number
  /** Distinguishes it from a later process with the same pid. */
  readonly startedAt: string
  /** Its own processor time and that of its children that have ended. */
  readonly cpuMs: number
  readonly residentBytes: number
  /** It has ended and waits for its parent to notice: it uses nothing any more. */
  readonly isZombie: boolean
}

/** Reads the processes of this machine. */
export interface ProcessTable {
  /** Between two readings. */
  readonly intervalMs: number
  /** All processes except those said to be foreign. Rejects when they cannot be read. */
  read(): Promise<readonly ProcessUsage[]>
  /** These need not be read for a while. */
  setForeign(pids: Iterable<number>): void
}

/** The way that works here; null when there is none (Windows). */
export function openProcessTable(): ProcessTable | null {
  if (existsSync('/proc/self/stat')) return createProcTable()
  return process.platform === 'win32' ? null : createPsTable()
}

/** Linux counts processor time in hundredths of a second for programs, whatever its timer does. */
const MS_PER_TICK = 10
/** Numbers are given to new processes in turn, so one is not used again within this time. */
const FOREIGN_FOR_READS = 10

function createProcTable(): ProcessTable {
  const foreign = new Map<number, number>()
  const buffer = Buffer.alloc(1_024)
  const pageBytes = measurePageBytes()
  let reads = 0
  return {
    intervalMs: 800,
    async read() {
      reads += 1
      const found: ProcessUsage[] = []
      for (const name of readdirSync('/proc')) {
        const pid = Number(name)
        if (!Number.isInteger(pid) || (foreign.get(pid) ?? 0) > reads) continue
        const usage = readStat(pid, buffer, pageBytes)
        if (usage !== null) found.push(usage)
      }
      for (const [pid, until] of foreign) if (until <= reads) foreign.delete(pid)
      return found
    },
    setForeign(pids) {
      for (const pid of pids) foreign.set(pid, reads + FOREIGN_FOR_READS)
    },
  }
}

/** The session that this process belongs to, on Linux. */
export function readOwnSession(): number | undefined {
  return readStat(process.pid, Buffer.alloc(1_024), 1)?.groupId
}

/** Null when the process has ended meanwhile. */
function readStat(pid: number, buffer: Buffer, pageBytes: number): ProcessUsage | null {
  let text: string
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r')
    try {
      text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
  // The name in parentheses may hold anything; the numbers start after the last one. See proc_pid_stat(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const number = (index: number) => Number(fields[index - 3])
  return {
    pid,
    parentPid: number(4),
    groupId: number(6),
    startedAt: fields[22 - 3] ?? '',
    cpuMs: (number(14) + number(15) + number(16) + number(17)) * MS_PER_TICK,
    residentBytes: number(24) * pageBytes,
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  }
}

/** The page size is not available directly; it follows from our own memory in bytes and in pages. */
function measurePageBytes(): number {
  const pages = readStat(process.pid, Buffer.alloc(1_024), 1)?.residentBytes ?? 0
  if (pages === 0) throw new Error('/proc does not say how much memory this process uses')
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages))
}

const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+?)\s*$/

function createPsTable(): ProcessTable {
  return {
    // A process has to be started for each reading.
    intervalMs: 1_500,
    read: () =>
      new Promise((resolve, reject) => {
        const columns = 'pid=,ppid=,pgid=,rss=,stat=,time=,lstart='
        execFile('ps', ['-A', '-o', columns], { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
          if (error === null) resolve(stdout.split('\n').flatMap((line) => parsePsLine(line) ?? []))
          else reject(error)
        })
      }),
    setForeign: () => undefined,
  }
}

/** One line of `ps -o pid=,ppid=,pgid=,rss=,stat=,time=,lstart=`, as Linux and macOS print it. */
export function parsePsLine(line: string): ProcessUsage | null {
  const match = PS_LINE.exec(line)
  if (match === null) return null
  const [, pid, parentPid, groupId, kibibytes, state = '', time = '', startedAt = ''] = match
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    startedAt,
    cpuMs: parseTime(time),
    residentBytes: Number(kibibytes) * 1_024,
    isZombie: state.startsWith('Z'),
  }
}

/** `[days-][hours:]minutes:seconds[.hundredths]` */
function parseTime(text: string): number {
  const [clock = '', days = '0'] = text.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return (Number(days) * 86_400 + seconds) * 1_000
}
