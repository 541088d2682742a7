import { join } from 'node:path'
import { type LogEntry, parseLogLine, readTailLines } from '@crunch/local-processes'
import { logFileName } from './service-log.ts'

/** A log entry and its service. */
export interface ServiceEntry {
  readonly service: string
  readonly entry: LogEntry
}

const maxBytes = 4 * 1024 * 1024

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
    const path = join(directory, logFileName(service, index))
    const lines = await readTailLines(path, { count: count - entries.length, maxBytes })
    if (lines === undefined) break
    entries = [...lines.map(parseLogLine).filter((entry) => entry !== undefined), ...entries]
  }
  return entries.slice(-count)
}
