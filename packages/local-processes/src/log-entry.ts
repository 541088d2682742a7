/** One line of a service's log, as written to its file. */
export interface LogEntry {
  /** Unix milliseconds. */
  readonly time: number
  /** pino's numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number
  readonly msg: string
  readonly fields: Readonly<Record<string, unknown>>
}

const levelNumbers: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}

/**
 * Parses a JSON line with a time and a message; undefined for any other output. With `receivedAt`, an event without a time is
 * also an entry, with that time.
 */
export function parseLogLine(line: string, receivedAt?: number): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined
  const value = jsonOf(line)
  if (typeof value !== 'object' || value === null) return undefined
  const { time, level, msg, pid: _pid, hostname: _hostname, ...fields } = value as Record<string, unknown>
  const at = instantOf(time) ?? (typeof fields.event === 'string' ? receivedAt : undefined)
  if (at === undefined) return undefined
  return { time: at, level: levelOf(level), msg: typeof msg === 'string' ? msg : String(fields.event ?? ''), fields }
}

/** The message and the remaining fields of an entry in one line, and a stack below. */
export function logEntryText(entry: LogEntry): string {
  const { err, event: _event, ...fields } = entry.fields
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`)
  // Further lines of a message are indented, so that they do not look like other entries.
  const msg = entry.msg.replaceAll('\n', '\n    ')
  const head = [msg, ...pairs].filter((part) => part !== '').join(' ')
  const stack = stackOf(err)
  return stack === undefined ? head : `${head}\n${stack.replaceAll(/^/gm, '    ')}`
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function instantOf(time: unknown): number | undefined {
  const at = typeof time === 'string' ? Date.parse(time) : time
  // 8.64e15 is the last instant that a Date can represent.
  return typeof at === 'number' && Math.abs(at) <= 8.64e15 ? at : undefined
}

function levelOf(level: unknown): number {
  if (typeof level === 'number') return level
  return typeof level === 'string' ? (levelNumbers[level.toLowerCase()] ?? 30) : 30
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
  return JSON.stringify(value) ?? 'undefined'
}

function stackOf(err: unknown): string | undefined {
  if (typeof err !== 'object' || err === null) return undefined
  const { stack, message } = err as { stack?: unknown; message?: unknown }
  if (typeof stack === 'string') return stack
  return typeof message === 'string' ? message : undefined
}
