import { join } from 'node:path'
import { CrunchError } from '../../../domain/errors.ts'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { formatInstant, type Instant } from '../../../domain/time.ts'

/** The folder of a series in an archive: `{directory}/{source}/{subject}/{kind}/{granularity}`. */
export function archiveFolder(directory: string, { source, subject, kind, granularity }: FeedScope): string {
  return join(directory, ...[source, subject, kind, granularity].map(safeName))
}

/** File name of a recording of a series, without extension: `binance-BTCUSDT-candle-1m`. */
export function recordingName({ source, subject, kind, granularity }: FeedScope): string {
  return [source, subject, kind, granularity].map(safeName).join('-')
}

/** The UTC day of an instant: `2026-03-01`. */
export function utcDay(at: Instant): string {
  return formatInstant(at).slice(0, 10)
}

/**
 * A name as one component of a path. Characters other than letters, digits, hyphens, underscores and inner dots are escaped
 * as in a URL, so that a name cannot leave its folder (`..`, `a/b`) and two names never collide.
 */
export function safeName(name: string): string {
  if (name === '')
    throw new CrunchError('BAD_REQUEST', 'a series in an archive needs a source, subject and kind: one is empty')
  return [...Buffer.from(name)]
    .map((byte, index) => {
      const character = String.fromCharCode(byte)
      const isSafe = /[A-Za-z0-9_-]/.test(character) || (character === '.' && index > 0)
      return isSafe ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
