import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { JsonObject } from '../domain/json.ts'
import type { Log } from '../ports/log.ts'

/** Logs to standard output: one JSON line an event, or lines for people. */
export function createLog(settings: { readonly LOG_LEVEL: string; readonly LOG_FORMAT: 'json' | 'pretty' }): Log {
  const options = { level: settings.LOG_LEVEL, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }
  const logger: Logger =
    settings.LOG_FORMAT === 'pretty'
      ? pino(options, pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', sync: true }))
      : pino(options, pino.destination({ sync: true }))
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: JsonObject = {}) =>
      logger[level](fields, message)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
