import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseLogLine, wait, whenMissing } from '@crunch/local-processes'
import { readLogs, type ServiceEntry } from './read-logs.ts'
import { logFileName } from './service-log.ts'

const pollMs = 150
const chunkBytes = 64 * 1024
/** One poll reads at most 4 MiB of a file into memory; the next poll continues. */
const maxChunksPerPoll = 64

/**
 * Passes the newest `pastCount` entries of `services` to `onEntries`, then new ones until the signal aborts. A rotated file is read
 * to its end through the open handle before the new one is opened, so that no line is lost or repeated.
 */
export async function followLogs(
  directory: string,
  services: readonly string[],
  onEntries: (entries: readonly ServiceEntry[]) => void,
  signal: AbortSignal,
  pastCount = 0,
): Promise<void> {
  const followers = services.map((service) => new LogFollower(join(directory, logFileName(service)), service))
  try {
    // Before reading the past: a line that is written meanwhile is then shown twice rather than never.
    await Promise.all(followers.map((follower) => follower.skipToEnd()))
    if (pastCount > 0) onEntries(await readLogs(directory, services, pastCount))
    while (!signal.aborted) {
      const entries = (await Promise.all(followers.map((follower) => follower.readNew()))).flat()
      if (entries.length > 0) onEntries(entries.sort((left, right) => left.entry.time - right.entry.time))
      await wait(pollMs, signal)
    }
  } finally {
    await Promise.all(followers.map((follower) => follower.close()))
  }
}

class LogFollower {
  readonly #path: string
  readonly #service: string
  #file: FileHandle | undefined
  #position = 0
  #unfinished: Buffer = Buffer.alloc(0)

  constructor(path: string, service: string) {
    this.#path = path
    this.#service = service
  }

  async skipToEnd(): Promise<void> {
    this.#file = await open(this.#path, 'r').catch(whenMissing(undefined))
    if (this.#file !== undefined) this.#position = (await this.#file.stat()).size
  }

  async readNew(): Promise<readonly ServiceEntry[]> {
    const entries: ServiceEntry[] = []
    if (this.#file !== undefined) {
      // Checked before reading, so that everything written to the old file before its rename is read below.
      const rotated = await this.#wasRotated(this.#file)
      entries.push(...(await this.#readToEnd(this.#file, rotated ? Number.POSITIVE_INFINITY : maxChunksPerPoll)))
      if (!rotated) return entries
      entries.push(...(await this.#readSkippedFiles(this.#file)))
      await this.close()
    }
    this.#file = await open(this.#path, 'r').catch(whenMissing(undefined))
    this.#startFile()
    if (this.#file !== undefined) entries.push(...(await this.#readToEnd(this.#file, maxChunksPerPoll)))
    return entries
  }

  /** Reads the files between ours and the current one: those that were created and rotated since the last poll. */
  async #readSkippedFiles(ours: FileHandle): Promise<readonly ServiceEntry[]> {
    const { ino } = await ours.stat()
    const skipped: FileHandle[] = []
    try {
      for (let index = 1; ; index += 1) {
        const file = await open(this.#path.replace(/\.log$/, `.${index}.log`), 'r').catch(whenMissing(undefined))
        if (file === undefined) break
        skipped.unshift(file)
        if ((await file.stat()).ino === ino) break
      }
      const entries: ServiceEntry[] = []
      // If the first file is ours, it has been read. If ours was deleted, the first is the oldest unread one.
      const first = skipped[0] !== undefined && (await skipped[0].stat()).ino === ino ? 1 : 0
      for (const file of skipped.slice(first)) {
        this.#startFile()
        entries.push(...(await this.#readToEnd(file, Number.POSITIVE_INFINITY)))
      }
      return entries
    } finally {
      await Promise.all(skipped.map((file) => file.close()))
    }
  }

  #startFile(): void {
    this.#position = 0
    this.#unfinished = Buffer.alloc(0)
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #wasRotated(file: FileHandle): Promise<boolean> {
    const [current, ours] = await Promise.all([stat(this.#path).catch(whenMissing(undefined)), file.stat()])
    // Between the rename and the first line of the new file, the path does not exist; the next poll checks again.
    return current !== undefined && (current.ino !== ours.ino || current.dev !== ours.dev)
  }

  async #readToEnd(file: FileHandle, maxChunks: number): Promise<readonly ServiceEntry[]> {
    const entries: ServiceEntry[] = []
    for (let chunk = 0; chunk < maxChunks; chunk += 1) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, this.#position)
      if (bytesRead === 0) break
      this.#position += bytesRead
      entries.push(...this.#takeLines(buffer.subarray(0, bytesRead)))
    }
    return entries
  }

  #takeLines(bytes: Buffer): ServiceEntry[] {
    const all = Buffer.concat([this.#unfinished, bytes])
    const end = all.lastIndexOf(0x0a)
    this.#unfinished = all.subarray(end + 1)
    if (end < 0) return []
    const lines = all.subarray(0, end).toString('utf8').split('\n')
    return lines
      .map(parseLogLine)
      .filter((entry) => entry !== undefined)
      .map((entry) => ({ service: this.#service, entry }))
  }
}
