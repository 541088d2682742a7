import type { Socket } from 'node:net'
import postgres from 'postgres'
import { decodeInstant, encodeBound } from '../schema/instant-codec.ts'
import { decodeJson, decodeText, encodeJson, encodeText } from '../schema/text-codec.ts'
import { noteUnreadable, noteUnstorable } from '../schema/value-faults.ts'
import { addressOf, clientOptions } from './address.ts'
import type { Database } from './database.ts'
import { createCuttableSockets, type SocketTarget } from './open-socket.ts'

// PostgreSQL type OIDs.
const INT8 = 20
const TEXT = 25
const JSON_TYPE = 114
const JSONB = 3802
const TIMESTAMPTZ = 1184

/** Time limit of a statement. */
export const statementTimeoutMs = 60_000

/** Limits how long a session may block others, in milliseconds: no wait of the engine is unlimited. */
export const sessionLimits = {
  statement_timeout: statementTimeoutMs,
  lock_timeout: statementTimeoutMs / 2,
  idle_in_transaction_session_timeout: statementTimeoutMs,
}

// Parameters are encoded by the type that the server expects: a number for a timestamp is an instant; text is escaped.
const types = {
  count: { to: INT8, from: [INT8], serialize: noteUnstorable((count: number) => String(count)), parse: Number },
  text: { to: TEXT, from: [TEXT], serialize: noteUnstorable(encodeText), parse: decodeText },
  json: {
    to: JSON_TYPE,
    from: [JSON_TYPE, JSONB],
    serialize: noteUnstorable(encodeJson),
    parse: noteUnreadable(decodeJson),
  },
  instant: {
    to: TIMESTAMPTZ,
    from: [TIMESTAMPTZ],
    serialize: noteUnstorable(encodeBound),
    parse: noteUnreadable(decodeInstant),
  },
}

type Types = { count: number; text: string; json: unknown; instant: number }

/** A client of the store. Never pass it to drizzle, which replaces these encoders. */
export type Sql = postgres.Sql<Types>
/** Runs statements: the client, or one of its transactions. */
export type Query = postgres.ISql<Types>
/** A part of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

export interface ConnectOptions {
  readonly maxConnections: number
  readonly onNotify?: (payload: string) => void
  /** Called when a connection ends for any reason, or cannot be opened. */
  readonly onClose?: () => void
  /** How long one statement may take, if less than {@link statementTimeoutMs}. */
  readonly limitMs?: number
}

export interface Client {
  readonly sql: Sql
  /** Ends its connections at once, even if the server no longer answers. Pending statements reject. */
  cut(): void
  /** Starts to watch the connections. The returned function tells whether each has received data since. */
  watch(): () => boolean
}

export function connect(database: Database, options: ConnectOptions): Client {
  const { maxConnections, onNotify, onClose, limitMs } = options
  const address = addressOf(database.url)
  const end = (): void => void sql.end({ timeout: 0 })
  const sockets = createCuttableSockets(maxConnections, end)
  async function openSocket(target: SocketTarget): Promise<Socket> {
    try {
      return await sockets.open(target)
    } catch (error) {
      // The client neither uses this connection again nor reports it.
      onClose?.()
      throw error
    }
  }
  const sql = postgres<Record<keyof Types, postgres.PostgresType>>({
    ...clientOptions(address),
    max: maxConnections,
    connect_timeout: 10,
    keep_alive: 10,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
    types,
    // Connections stay open until we close them or they are lost; `onClose` reports only losses.
    max_lifetime: null,
    ...(onClose === undefined ? {} : { onclose: () => onClose() }),
    // This option is missing in its types.
    ...{ socket: openSocket },
    ...(onNotify === undefined ? {} : { onnotify: (_channel: string, payload: string) => onNotify(payload) }),
    connection: {
      application_name: 'crunch',
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      extra_float_digits: 1,
      ...sessionLimits,
      ...(limitMs === undefined ? {} : { statement_timeout: limitMs }),
      ...database.keepAlive,
      ...address.session,
    },
  }) as unknown as Sql
  return {
    sql,
    cut() {
      end()
      sockets.cut()
    },
    watch: sockets.watch,
  }
}

/** Rows as one JSON parameter, for `json_to_recordset(parameter->'name')`. */
export function jsonParameter(sql: Query, document: Readonly<Record<string, unknown>>): postgres.Parameter<unknown> {
  return sql.typed(document, JSON_TYPE) as postgres.Parameter<unknown>
}
