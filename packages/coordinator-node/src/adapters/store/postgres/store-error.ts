import postgres from 'postgres'
import { CrunchError } from '../../../domain/errors.ts'

/** SQLSTATE classes and codes that speak of the connection or the server rather than of the statement. */
const unavailableClasses = new Set(['08', '28', '53', '57', '58'])
const unavailableCodes = new Set(['3D000', '25P03', '55P03'])
const unavailableSystemCode = /^(CONNECT|CONNECTION_|E[A-Z]+$|ENOTFOUND|EAI_)/

/** `postgres://user:***@host:5432/name`, for messages and logs. */
export function maskUrl(url: string): string {
  if (!URL.canParse(url)) return 'the database whose URL cannot be read'
  const masked = new URL(url)
  if (masked.password !== '') masked.password = '***'
  for (const key of masked.searchParams.keys()) if (/pass/i.test(key)) masked.searchParams.set(key, '***')
  return masked.href
}

/** `what` ends the sentence "the database … …"; without a cause it may be told to anyone. */
export function unavailable(url: string, what: string, cause?: unknown): CrunchError {
  const message = `the database ${maskUrl(url)} ${what}`
  if (cause === undefined) return new CrunchError('STORE_UNAVAILABLE', message, { publicReason: `it ${what}` })
  return new CrunchError('STORE_UNAVAILABLE', message, { cause, publicReason: publicReason(cause) })
}

/** By SQLSTATE code or its class; PostgreSQL's own words name users, databases and tables. */
const publicReasons: Readonly<Record<string, string>> = {
  '53300': 'it takes no more connections (too many clients)',
  '53100': 'its disk is full',
  '53': 'it has run out of memory or connections',
  '57014': 'it was too slow, and the statement was given up',
  '55P03': 'it was too slow: a lock was not given',
  '57': 'it is starting or shutting down',
  '28': 'it refuses the login',
  '3D000': 'it does not exist',
}

function publicReason(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (unavailableSystemCode.test(code)) return `it cannot be reached (${code})`
  return publicReasons[code] ?? publicReasons[code.slice(0, 2)]
}

/** The engine's error for what went wrong in a statement; what is not the database's comes back as it is. */
export function storeError(error: unknown, url: string): unknown {
  if (error instanceof CrunchError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const isStatement = error instanceof postgres.PostgresError
  if (isStatement && code === '23503') {
    return new CrunchError('NOT_FOUND', `${missing(error)}: register it first`, { cause: error })
  }
  const isUnavailable = isStatement
    ? unavailableClasses.has(code.slice(0, 2)) || unavailableCodes.has(code)
    : unavailableSystemCode.test(code)
  if (!isUnavailable) return error
  const advice = 'Check that it runs, and the address, user and password in DATABASE_URL'
  return unavailable(url, `cannot be used: ${withoutPassword(describe(error), url)}. ${advice}`, error)
}

/** PostgreSQL's own words, such as `Key (model_id)=(x) is not present in table "models".` */
function missing(error: postgres.PostgresError): string {
  return (error.detail ?? error.message).replace(/\.$/, '')
}

/** Node gives several addresses of one host as one error without a message. */
function describe(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((inner) => String(inner)).join(', ')
  return error.name
}

function withoutPassword(text: string, url: string): string {
  const password = URL.canParse(url) ? decodeURIComponent(new URL(url).password) : ''
  return password === '' ? text : text.replaceAll(password, '***')
}
