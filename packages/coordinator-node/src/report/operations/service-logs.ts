import { join } from 'node:path'
import { logEntryText, loggedServices, parseLogLine, printableLines, readTailLines } from '@crunch/local-processes'
import { z } from 'zod'
import { CrunchError } from '../../domain/errors.ts'
import { needs } from '../access/decide-access.ts'
import { refuse } from '../access/refuse.ts'
import type { Viewer } from '../access/viewer.ts'
import { cutText } from '../http/cut-text.ts'
import { defineRoute } from '../http/define-route.ts'
import { idField, limitField } from '../http/query-fields.ts'
import { serveRoute } from '../http/serve-route.ts'
import { timeOrNull } from '../rows/row-fields.ts'
import { zonedTime } from '../schemas/fields.ts'

/** How much of each log is read, from its end: at least 16 of the longest lines that the supervisor writes. */
const maxBytes = 1_048_576
const maxTextLength = 4_000

/** pino's numbers. A level contains all numbers up to the next one, so fatal errors are errors. */
const levels = { debug: 0, info: 30, warn: 40, error: 50 } as const
type Level = keyof typeof levels
const levelNames = Object.keys(levels) as [Level, ...Level[]]

const logLine = z
  .object({
    service: z.string(),
    time: zonedTime.nullable().meta({ description: 'Null for a line that is no entry, as is `level`.' }),
    level: z.enum(levelNames).nullable(),
    text: z.string().meta({
      description: `The message and its fields, or the line itself; cut at ${maxTextLength} characters, invisible characters escaped.`,
    }),
  })
  .meta({ id: 'ServiceLogLine' })

type LogLine = z.input<typeof logLine>

const serviceLogs = defineRoute({
  method: 'get',
  path: '/reports/services/logs',
  tag: 'Node',
  summary: 'The newest lines that the services of this node logged, newest first, for admins.',
  description:
    "Shows and searches the last MiB of each service's current file; `crunch logs` has the rest. Only for admins, whatever `API_ADMIN_PREFIXES` says; on a node without keys: for programs on this machine.",
  tier: 'admin',
  query: z.object({
    service: idField.optional().meta({ description: 'One of `services`; default: all.' }),
    level: z.enum(levelNames).optional().meta({ description: 'This level and above; default: every line.' }),
    q: idField.optional().meta({ description: 'A part of the text, in upper or lower case.' }),
    limit: limitField(200, 1_000),
  }),
  errors: [404],
  answer: z
    .object({
      services: z.array(z.string()).meta({ description: 'All that have a log.' }),
      lines: z.array(logLine),
    })
    .meta({ id: 'ServiceLogs' }),
  example: { path: '/reports/services/logs?level=info&limit=1' },
})

export const serveServiceLogs = serveRoute(serviceLogs, ({ logDirectory }) => async ({ query, viewer }) => {
  requireAdmin(viewer)
  const { folder, services } = await foundLogs(logDirectory)
  const { service: wanted, limit } = query
  if (wanted !== undefined && !services.includes(wanted)) {
    throw new CrunchError(
      'NOT_FOUND',
      `No service "${cutText(wanted)}" has a log here. Choose of ${services.join(', ')}.`,
    )
  }
  const found: PlacedLine[] = []
  // One after the other: a file is held in memory at a time, and other requests are answered in between.
  for (const service of wanted === undefined ? services : [wanted]) {
    found.push(
      ...newestLines(service, (await readTailLines(join(folder, `${service}.log`), { maxBytes })) ?? [], query),
    )
  }
  // The sort is stable, so lines of one service keep their order.
  found.sort((one, other) => other.placeMs - one.placeMs)
  return { services: [...services], lines: found.slice(0, limit).map(({ line }) => line) }
})

/** Paths and errors of the organizer's code: unlike for other routes of admins, a node without keys does not show them to all. */
function requireAdmin(viewer: Viewer): void {
  if (viewer.role === 'admin') return
  const { status, text } = needs('admin', viewer)
  refuse(status, text)
}

async function foundLogs(folder: string | undefined) {
  if (folder === undefined) {
    throw new CrunchError(
      'NOT_FOUND',
      'This node does not know where its logs are: it was not started by crunch deploy, and SERVICE_LOG_DIRECTORY is not set. Read them where its processes write, e.g. in the logs of their containers, or set it to the folder of the log files.',
    )
  }
  const services = await loggedServices(folder)
  if (services.length > 0) return { folder, services }
  throw new CrunchError(
    'NOT_FOUND',
    `There is no log of a service in ${folder}, the folder of SERVICE_LOG_DIRECTORY. Correct it, or run crunch logs in the workspace.`,
  )
}

interface PlacedLine {
  readonly line: LogLine
  /** Its time; of a line without one, that of the next. */
  readonly placeMs: number
}

interface Wanted {
  readonly level?: Level | undefined
  readonly q?: string | undefined
  readonly limit: number
}

/** @param lines oldest first */
function newestLines(service: string, lines: readonly string[], { level, q, limit }: Wanted): readonly PlacedLine[] {
  const found: PlacedLine[] = []
  const search = q?.toLowerCase() ?? ''
  let placeMs = Number.MAX_VALUE
  for (let index = lines.length - 1; index >= 0 && found.length < limit; index -= 1) {
    const text = lines[index] ?? ''
    const entry = parseLogLine(text)
    placeMs = entry?.time ?? placeMs
    if (text === '' || (level !== undefined && (entry === undefined || entry.level < levels[level]))) continue
    const shown = entry === undefined ? text : logEntryText(entry)
    if (!shown.toLowerCase().includes(search)) continue
    const line = {
      service,
      time: timeOrNull(entry?.time ?? null),
      level: entry === undefined ? null : nameOf(entry.level),
    }
    found.push({ placeMs, line: { ...line, text: cut(shown) } })
  }
  return found
}

function nameOf(level: number): Level {
  return levelNames.findLast((name) => level >= levels[name]) ?? 'debug'
}

function cut(text: string): string {
  const rest = text.length - maxTextLength
  return printableLines(rest > 0 ? `${text.slice(0, maxTextLength)}… (${rest} more characters)` : text)
}
