import { type SocketProxy, startSocketProxy } from './socket-proxy.ts'

/** A proxy between a client and PostgreSQL. */
export interface DatabaseProxy extends SocketProxy {
  /** The URL of the database, through this proxy. */
  readonly url: string
  /** From now on, currently connected clients receive rows without columns. */
  garbleRows(): void
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const url = new URL(databaseUrl)
  const proxy = await startSocketProxy({ host: url.hostname, port: Number(url.port) }, { host: '127.0.0.1', port: 0 })
  url.port = `${proxy.port}`
  return { ...proxy, url: url.href, garbleRows: () => proxy.changeAnswers(withoutColumns) }
}

const dataRow = 'D'.charCodeAt(0)

/** Removes the columns of all rows. `data` must begin with a whole message. */
function withoutColumns(data: Buffer): Buffer {
  const messages: Buffer[] = []
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + data.readUInt32BE(at + 1)
    messages.push(data[at] === dataRow ? Buffer.from([dataRow, 0, 0, 0, 6, 0, 1]) : data.subarray(at, end))
    at = end
  }
  return Buffer.concat(messages)
}
