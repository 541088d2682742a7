import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { type LogEntry, parseLogLine } from './log-entry.ts'
import { logFileName } from './service-log.ts'

/** A log entry and its service. */
export interface ServiceEntry {
  readonly service: string
  readonly entry: LogEntry
}

const chunkBytes = 64 * 1024
const maxTailBytes = 4 * 1024 * 1024

/** The services with a log file in a directory, sorted by name. */
export async function loggedServices(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(whenMissing<string[]>([]))
  return names
    .map((name) => /^([a-z][a-z-]*)\.log$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort()
}

/** The newest `count` entries of several services, merged by time, oldest first. */
export async function readLogs(
  directory: string,
  services: readonly string[],
  count: number,
): Promise<readonly ServiceEntry[]> {
  const lists = await Promise.all(
    services.map(async (service) => {
      const entries = await readServiceTail(directory, service, count)
      return entries.map((entry) => ({ service, entry }))
    }),
  )
  // The sort is stable, so entries of one service keep their order.
  return lists
    .flat()
    .sort((left, right) => left.entry.time - right.entry.time)
    .slice(-count)
}

async function readServiceTail(directory: string, service: string, count: number): Promise<readonly LogEntry[]> {
  let entries: LogEntry[] = []
  for (let index = 0; entries.length < count; index += 1) {
    const lines = await readTailLines(join(directory, logFileName(service, index)), count - entries.length)
    if (lines === undefined) break
    entries = [...lines.map(parseLogLine).filter((entry) => entry !== undefined), ...entries]
  }
  return entries.slice(-count)
}

/** The last complete lines of a file, read from its end in chunks; undefined if the file does not exist. */
async function readTailLines(path: string, count: number): Promise<readonly string[] | undefined> {
  const file = await open(path, 'r').catch(whenMissing(undefined))
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    const firstByte = Math.max(0, size - maxTailBytes)
    const chunks: Buffer[] = []
    let newlines = 0
    let start = size
    while (start > firstByte && newlines <= count) {
      const length = Math.min(chunkBytes, start - firstByte)
      start -= length
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
      const chunk = buffer.subarray(0, bytesRead)
      newlines += chunk.toString('latin1').split('\n').length - 1
      chunks.unshift(chunk)
    }
    const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1)
    // Reading may have begun in the middle of a line.
    return (start > 0 ? lines.slice(1) : lines).slice(-count)
  } finally {
    await file.close()
  }
}
