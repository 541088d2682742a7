import { printableLines } from '@crunch/local-processes'
import { type DestinationStream, type Logger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { Json, JsonObject } from '../domain/json/json.ts'
import type { Log } from '../ports/log.ts'

/**
 * Creates a log on standard output: one JSON line per event, or human-readable lines. Both can contain text of participants and
 * be read on a terminal, so control characters are escaped. In JSON, escaping does not change values.
 * @param settings `LOG_LEVEL` (`debug`, `info`, `warn`, `error`) and `LOG_FORMAT`, e.g. from `readSettings`
 */
export function createLog(
  settings: { readonly LOG_LEVEL: string; readonly LOG_FORMAT: 'json' | 'pretty' },
  output: DestinationStream = pino.destination({ sync: true }),
): Log {
  const options = { level: settings.LOG_LEVEL, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }
  const isPretty = settings.LOG_FORMAT === 'pretty'
  // Colours are added here, so the text of an entry must be escaped before.
  const prettify = prettyFactory({ colorize: process.stdout.isTTY, ignore: 'pid,hostname' })
  const render = (line: string) => (isPretty ? (prettify(line) ?? '') : printableLines(line))
  const logger: Logger = pino(options, { write: (line) => output.write(render(line)) })
  const shown = (value: Json): Json => (isPretty ? printableJson(value) : value)
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: JsonObject = {}) =>
      logger[level](shown(fields), isPretty ? printableLines(message) : message)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function printableJson(value: Json): Json {
  if (typeof value === 'string') return printableLines(value)
  if (Array.isArray(value)) return value.map(printableJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [printableLines(key), printableJson(inner)]))
}
