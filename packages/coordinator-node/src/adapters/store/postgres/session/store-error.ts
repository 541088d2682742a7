import { DrizzleQueryError } from 'drizzle-orm'
import postgres from 'postgres'
import { CrunchError } from '../../../../domain/errors.ts'
import { isValueFault } from '../schema/value-faults.ts'
import { addressOf, maskUrl } from './address.ts'

/** SQLSTATE classes and codes that speak of the connection or the server rather than of the statement. */
const unavailableClasses = new Set(['08', '28', '40', '53', '57', '58', 'F0', 'XX'])
const unavailableCodes = new Set(['3D000', '25006', '25P03', '25P04', '26000', '55P03'])
/** Of errors that reach us other than through a statement: of a client that has ended, and of node's sockets. */
const unavailableSystemCode = /^(CONNECT|CONNECTION_|E[A-Z0-9]+$|EAI_|ERR_(STREAM|SOCKET|SSL|TLS)_)/
/** What postgres.js says of statements that are written wrongly. */
const misuseCodes = new Set([
  'UNDEFINED_VALUE',
  'NOT_TAGGED_CALL',
  'UNSAFE_TRANSACTION',
  'COPY_IN_PROGRESS',
  'MAX_PARAMETERS_EXCEEDED',
])

/** `what` ends the sentence "the database … …"; without a cause it may be told to anyone. */
export function unavailable(url: string, what: string, cause?: unknown): CrunchError {
  const message = `the database ${maskUrl(url)} ${what}`
  if (cause === undefined) return new CrunchError('STORE_UNAVAILABLE', message, { publicReason: `it ${what}` })
  return new CrunchError('STORE_UNAVAILABLE', message, { cause, publicReason: publicReason(cause) })
}

/** By SQLSTATE code or its class; PostgreSQL's own words name users, databases and tables. */
const publicReasons: Readonly<Record<string, string>> = {
  '53300': 'it accepts no more connections (too many clients)',
  '53100': 'its disk is full',
  '53': 'it has run out of memory or connections',
  '57014': 'it was too slow, and the statement was cancelled',
  '55P03': 'it was too slow: a lock was not granted',
  '57': 'it is starting or shutting down',
  '28': 'it refuses the login',
  '40': 'it cancelled a statement in favour of another',
  '25006': 'it accepts no writes; is it a standby?',
  F0: 'its configuration is broken',
  XX: 'it reports an internal error',
  '3D000': 'it does not exist',
}

function publicReason(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (cause instanceof postgres.PostgresError) return publicReasons[code] ?? publicReasons[code.slice(0, 2)]
  return code === '' ? 'the connection to it broke' : `it cannot be reached (${code})`
}

/** The engine's error for what went wrong in a statement; what is not the database's comes back as it is. */
export function storeError(thrown: unknown, url: string): unknown {
  // Drizzle, which runs the migrations, wraps what its client threw.
  const error = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  if (error instanceof CrunchError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const isStatement = error instanceof postgres.PostgresError
  if (isStatement && code === '23503') {
    return new CrunchError('NOT_FOUND', `${missing(error)}: register it first`, { cause: error })
  }
  const isUnavailable = isStatement
    ? unavailableClasses.has(code.slice(0, 2)) || unavailableCodes.has(code)
    : isConnectionFault(error, code)
  if (!isUnavailable) return error
  const advice = /no encryption|SSL off/.test(error.message)
    ? 'If it accepts only encrypted connections, add ?sslmode=require to DATABASE_URL'
    : 'Check that it runs, and the address, user and password in DATABASE_URL or POSTGRES_*'
  return unavailable(url, `cannot be used: ${withoutPassword(describe(error), url)}. ${advice}`, error)
}

/**
 * Whatever a statement was rejected with that is neither the server's verdict on it nor a fault of ours is the connection's: what
 * sockets, TLS and logins give have many codes or none, and of an answer that came garbled the client of PostgreSQL only finds
 * that it cannot read it. That client marks what it rejects a statement with.
 */
function isConnectionFault(error: Error, code: string): boolean {
  if (unavailableSystemCode.test(code)) return true
  return 'query' in error && !misuseCodes.has(code) && !isValueFault(error)
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
  const { password = '' } = addressOf(url)
  return password === '' ? text : text.replaceAll(password, '***')
}
