import { type LogEntry, logEntryText } from '@crunch/local-processes'

const levelNames: readonly (readonly [number, string])[] = [
  [60, 'FATAL'],
  [50, 'ERROR'],
  [40, 'WARN'],
  [30, 'INFO'],
  [20, 'DEBUG'],
]

/** A line for people: time, level, service, message, and the remaining fields. */
export function formatLogEntry(service: string, entry: LogEntry): string {
  const at = new Date(entry.time).toISOString().slice(11, 23)
  const level = (levelNames.find(([number]) => entry.level >= number)?.[1] ?? 'TRACE').padEnd(5)
  return [at, level, service.padEnd(8), logEntryText(entry)].filter((part) => part !== '').join(' ')
}

/** The message of a log entry, with the message of its error, or its reason. */
export function failureText({ msg, fields: { err, reason } }: LogEntry): string {
  const why = typeof err === 'object' && err !== null && 'message' in err ? err.message : reason
  return typeof why === 'string' && why !== msg ? `${msg}: ${why}` : msg
}
