import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'

/** The resource usage of one process so far. */
export interface ProcessUsage {
  readonly pid: number
  readonly parentPid: number
  /** Its session on Linux, its process group elsewhere. A process started by a model shares it unless it detaches. */
  readonly groupId: number
  /** Distinguishes it from a later process with the same pid. */
  readonly startedAt: string
  /** CPU time of the process and of its ended children. */
  readonly cpuMs: number
  readonly residentBytes: number
  /** Whether it has ended and waits for its parent; it uses no resources. */
  readonly isZombie: boolean
}

/** Reads the processes of this machine. */
export interface ProcessTable {
  /** The time between two readings. */
  readonly intervalMs: number
  /** All processes except the foreign ones. Rejects if they cannot be read. */
  read(): Promise<readonly ProcessUsage[]>
  /** Marks processes that need not be read for a while. */
  setForeign(pids: Iterable<number>): void
}

/** Opens the process table of this system; null if it has none (Windows). */
export function openProcessTable(): ProcessTable | null {
  if (existsSync('/proc/self/stat')) return createProcTable()
  return process.platform === 'win32' ? null : createPsTable()
}

/** Linux reports CPU time to programs in hundredths of a second, regardless of its timer. */
const MS_PER_TICK = 10
/** Pids are assigned in turn, so none is reused within this time. */
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

/** Null if the process has ended meanwhile. */
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
  // The name in parentheses may contain any character; the numbers start after the last parenthesis. See proc_pid_stat(5).
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

/** Node does not expose the page size; this process's memory in bytes and in pages gives it. */
function measurePageBytes(): number {
  const pages = readStat(process.pid, Buffer.alloc(1_024), 1)?.residentBytes ?? 0
  if (pages === 0) throw new Error('/proc does not say how much memory this process uses')
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages))
}

const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+?)\s*$/

function createPsTable(): ProcessTable {
  return {
    // Each reading starts a process.
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

/** Parses a line of `ps -o pid=,ppid=,pgid=,rss=,stat=,time=,lstart=` on Linux or macOS. */
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
