import postgres from 'postgres'
import { addressOf, clientOptions } from './address.ts'
import { createCuttableSockets } from './open-socket.ts'
import { storeError } from './store-error.ts'
import { within } from './within.ts'

/** A client with one connection and PostgreSQL's own types. */
export interface PlainClient {
  readonly sql: postgres.Sql
  /** Ends its session and releases its locks. If the server does not answer, the socket is cut. */
  end(): Promise<void>
  cut(): void
}

export function openPlainClient(url: string): PlainClient {
  const address = addressOf(url)
  const endNow = (): void => void sql.end({ timeout: 0 })
  const sockets = createCuttableSockets(1, endNow)
  const sql = postgres({
    ...clientOptions(address),
    max: 1,
    connect_timeout: 10,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
    // This option is missing in its types.
    ...{ socket: sockets.open },
    connection: { application_name: 'crunch migration', ...address.session },
  })
  return {
    sql,
    async end() {
      await sql.end({ timeout: 1 })
      sockets.cut()
    },
    cut() {
      endNow()
      sockets.cut()
    },
  }
}

/** Time limit: more than a few short statements need on a working connection. */
const plainLimitMs = 30_000

/** Runs short statements with such a client, and converts failures to the engine's errors. */
export async function withPlainConnection<Result>(
  url: string,
  action: (sql: postgres.Sql) => Promise<Result>,
  limitMs = plainLimitMs,
): Promise<Result> {
  return withPlainClient(url, ({ sql, cut }) => within({ url, limitMs, giveUp: cut }, action(sql)))
}

/** The same without a time limit, for long work: `action` must make sure that it ends. */
export async function withPlainClient<Result>(
  url: string,
  action: (client: PlainClient) => Promise<Result>,
): Promise<Result> {
  const client = openPlainClient(url)
  try {
    return await action(client)
  } catch (error) {
    throw storeError(error, url)
  } finally {
    await client.end()
  }
}
