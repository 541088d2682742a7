import { DrizzleQueryError } from 'drizzle-orm'
import postgres from 'postgres'
import { CrunchError } from '../../../../domain/errors.ts'
import { isUnreadable, isUnstorable } from '../schema/value-faults.ts'
import { addressOf, maskUrl } from './address.ts'

/** What an SQLSTATE means for the whole database: the reason, without names of users and tables, and the fix. */
interface ServerFault {
  readonly reason?: string
  readonly advice: string
}

const checkAddress = 'Check that it runs, and the address, user and password in DATABASE_URL or POSTGRES_*'
const encrypt = 'If it accepts only encrypted connections, add ?sslmode=require to DATABASE_URL'
const findLoad = 'Find what keeps it busy: select * from pg_stat_activity'
const readLog = 'See the log of the PostgreSQL server'

/** Faults by SQLSTATE or its class. All others concern the statement. */
const serverFaults: Readonly<Record<string, ServerFault>> = {
  '08': { advice: checkAddress },
  '28': {
    reason: 'it refuses the login',
    advice: 'Check the user and password in DATABASE_URL or POSTGRES_*, and pg_hba.conf',
  },
  '3D000': { reason: 'it does not exist', advice: 'Create it, or correct its name in DATABASE_URL' },
  '40': {
    reason: 'it cancelled a statement in favour of another',
    advice:
      'Nothing was written, and the next try may succeed. If it happens again, see which other programs use this database',
  },
  '53': { reason: 'it has run out of memory or connections', advice: readLog },
  '53100': { reason: 'its disk is full', advice: 'Free disk space on the database server' },
  '53300': {
    reason: 'it accepts no more connections (too many clients)',
    advice: 'End other clients, or raise max_connections',
  },
  '55P03': { reason: 'it was too slow: a lock was not granted', advice: findLoad },
  '57': { reason: 'it is starting or shutting down', advice: `Wait until it accepts connections. ${readLog}` },
  '57014': { reason: 'it was too slow, and the statement was cancelled', advice: findLoad },
  '58': { reason: 'its operating system reports an error', advice: readLog },
  '25006': { reason: 'it accepts no writes; is it a standby?', advice: 'Use the primary server in DATABASE_URL' },
  '25P03': { advice: 'The transaction was idle for too long. Find out what delayed this process' },
  '25P04': { advice: 'The transaction took too long. Find out what delayed this process' },
  '26000': { advice: 'Connect directly, or through a pooler that keeps sessions' },
  F0: { reason: 'its configuration is broken', advice: readLog },
  XX: {
    reason: 'it reports an internal error',
    advice: `${readLog}. If its data is damaged (XX001, XX002), stop the node and restore a backup`,
  },
}

function serverFault(code: string): ServerFault | undefined {
  return serverFaults[code] ?? serverFaults[code.slice(0, 2)]
}

/** Error codes that are not about statements: of a closed client, and of Node's sockets. */
const unavailableSystemCode = /^(CONNECT|CONNECTION_|E[A-Z0-9]+$|EAI_|ERR_(STREAM|SOCKET|SSL|TLS)_)/
/** Codes of postgres.js for invalid statements. */
const misuseCodes = new Set([
  'UNDEFINED_VALUE',
  'NOT_TAGGED_CALL',
  'UNSAFE_TRANSACTION',
  'COPY_IN_PROGRESS',
  'MAX_PARAMETERS_EXCEEDED',
])

/** `what` completes the sentence "the database URL …". Without a cause, it is public. */
export function unavailable(url: string, what: string, cause?: unknown): CrunchError {
  const message = `the database ${maskUrl(url)} ${what}`
  if (cause === undefined) return new CrunchError('STORE_UNAVAILABLE', message, { publicReason: `it ${what}` })
  return new CrunchError('STORE_UNAVAILABLE', message, { cause, publicReason: publicReason(cause) })
}

function publicReason(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (cause instanceof postgres.PostgresError) return serverFault(code)?.reason
  return code === '' ? 'the connection to it broke' : `it cannot be reached (${code})`
}

/** The engine's error for a failure of the database; any other error is returned as it is. */
export function storeError(thrown: unknown, url: string): unknown {
  // Drizzle, which runs the migrations, wraps the errors of its client.
  const error = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  if (error instanceof CrunchError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const isStatement = error instanceof postgres.PostgresError
  if (isStatement && code === '23503') {
    return new CrunchError('NOT_FOUND', `${missing(error)}: register it first`, { cause: error })
  }
  if (isUnreadable(error)) {
    const message = `the database ${maskUrl(url)} holds a value that this code cannot read: ${error.message}. Correct it, or restore a backup`
    return new CrunchError('STORE_CORRUPT', message, {
      cause: error,
      publicReason: 'it holds a value that cannot be read',
    })
  }
  const connectionFault = isConnectionFault(error, code) ? { advice: checkAddress } : undefined
  const fault = isStatement ? serverFault(code) : connectionFault
  if (fault === undefined) return error
  const advice = /no encryption|SSL off/.test(error.message) ? encrypt : fault.advice
  return unavailable(url, `cannot be used: ${withoutPassword(describe(error), url)}. ${advice}`, error)
}

/**
 * If neither the server nor our encoders rejected a statement, its connection broke: errors of sockets, TLS and logins have
 * many codes or none, and for a garbled answer postgres.js throws an arbitrary parser error. It marks each error with which
 * it rejects a statement.
 */
function isConnectionFault(error: Error, code: string): boolean {
  if (unavailableSystemCode.test(code)) return true
  return 'query' in error && !misuseCodes.has(code) && !isUnstorable(error)
}

/** PostgreSQL's own message, such as `Key (model_id)=(x) is not present in table "models".` */
function missing(error: postgres.PostgresError): string {
  return (error.detail ?? error.message).replace(/\.$/, '')
}

/** Node reports failures of several addresses of a host as one error without a message. */
function describe(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((inner) => String(inner)).join(', ')
  return error.name
}

function withoutPassword(text: string, url: string): string {
  const { password = '' } = addressOf(url)
  return password === '' ? text : text.replaceAll(password, '***')
}
