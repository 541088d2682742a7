import { existsSync, readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs'
import type { ProcessUsage } from '../process/process-table.ts'

const KIB = 1_024
const BLOCK_BYTES = 512
/** `statfs` of a file system in memory; see statfs(2). */
const TMPFS = 0x0102_1994
/** memfd files, anonymous shared mappings, System V segments and POSIX shared memory. */
const IN_MEMORY = /^(\/memfd:|\/secretmem|\/dev\/zero \(deleted\)|\/SYSV|\/dev\/shm\/|\/anon_hugepage)/
/** Of memfd_secret(2): Linux does not report how much of it is used, so all of it counts. */
const SECRET_MEMORY = /^\/secretmem/
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ (\S+) (\d+)\s+(.*)$/

/**
 * Memory that need not appear in the resident memory of any process: open or mapped files in memory, and the content of
 * the writable folder. A file shared by several processes is counted once.
 */
export function countSharedBytes(members: Iterable<ProcessUsage>): number {
  const found = new Map<string, number>()
  const mapped = new Map<string, number>()
  for (const { pid } of members) {
    unlessGone(() => countOpenFiles(pid, found))
    unlessGone(() => countMappings(pid, found, mapped))
    unlessGone(() => countWritableFolder(pid, found))
  }
  for (const [key, bytes] of mapped) if (!found.has(key)) found.set(key, bytes)
  return [...found.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** Memory outside files, with pages shared by forks counted once; null if Linux does not report it. */
export function countPrivateBytes(members: Iterable<ProcessUsage>): number | null {
  if (!existsSync('/proc/self/smaps_rollup')) return null
  let bytes = 0
  let isKnown = true
  for (const { pid, isZombie } of members) {
    if (isZombie) continue
    isKnown &&= unlessGone(() => {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      const own = /^Pss_Anon:\s+(\d+) kB$/m.exec(text)?.[1]
      if (own === undefined) isKnown = isKnown && text === ''
      else bytes += (Number(own) + Number(/^SwapPss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0)) * KIB
    })
  }
  return isKnown ? bytes : null
}

function countOpenFiles(pid: number, found: Map<string, number>): void {
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    unlessGone(() => {
      const path = `/proc/${pid}/fd/${name}`
      const target = readlinkSync(path)
      if (IN_MEMORY.test(target)) note(path, target, found)
    })
  }
}

function countMappings(pid: number, found: Map<string, number>, mapped: Map<string, number>): void {
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from = '', to = '', device, inode, path = ''] = MAPPING.exec(line) ?? []
    if (!IN_MEMORY.test(path)) continue
    try {
      note(`/proc/${pid}/map_files/${from.replace(/^0+(?=.)/, '')}-${to.replace(/^0+(?=.)/, '')}`, path, found)
    } catch {
      // Only the superuser may inspect a mapping; for other users all of it counts as used, unless the file is also
      // open.
      const key = `${deviceNumber(device)}:${inode}`
      mapped.set(key, Math.max(mapped.get(key) ?? 0, Number.parseInt(to, 16) - Number.parseInt(from, 16)))
    }
  }
}

/** The number that stat(2) gives for `major:minor` of a mapping; see makedev(3). */
function deviceNumber(device = ''): number {
  const [major = 0, minor = 0] = device.split(':').map((part) => Number.parseInt(part, 16))
  return ((minor & ~0xff) << 12) | (major << 8) | (minor & 0xff)
}

/** Counts the writable folder of a confined model. An unconfined one uses the machine's folder, which is not counted. */
function countWritableFolder(pid: number, found: Map<string, number>): void {
  if (readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt')) return
  const path = `/proc/${pid}/root/tmp`
  const { type, blocks, bfree, bsize } = statfsSync(path)
  if (type === TMPFS) found.set(`folder ${statSync(path).dev}`, (blocks - bfree) * bsize)
}

function note(path: string, target: string, found: Map<string, number>): void {
  const { dev, ino, blocks, size } = statSync(path)
  found.set(`${dev}:${ino}`, SECRET_MEMORY.test(target) ? size : blocks * BLOCK_BYTES)
}

/** Ignores a process or file that vanished meanwhile. False if this user may not see it. */
function unlessGone(look: () => void): boolean {
  try {
    look()
    return true
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    if (['ENOENT', 'ESRCH'].includes(code)) return true
    if (['EACCES', 'EPERM'].includes(code)) return false
    throw error
  }
}
