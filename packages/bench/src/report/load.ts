import { connect } from 'node:net'

export interface LoadOptions {
  /** Without a slash at its end. */
  readonly url: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly connectionCount: number
  /** How long new requests are sent. */
  readonly durationMs: number
  /** The statuses that count as answered. */
  readonly status?: number
}

export interface Load {
  readonly perSecond: number
  /** Of each request, in ms. */
  readonly durations: readonly number[]
  /** Of the last answer's body, as it was sent. */
  readonly byteCount: number
}

/** Sends the same request over some connections, each as soon as its last one is answered. Rejects with the first other status. */
export async function load(options: LoadOptions): Promise<Load> {
  const startedAt = performance.now()
  const clients = Array.from({ length: options.connectionCount }, () =>
    sendUntil(options, startedAt + options.durationMs),
  )
  const answered = await Promise.all(clients)
  const durations = answered.flatMap((one) => one.durations)
  return {
    perSecond: durations.length / ((performance.now() - startedAt) / 1_000),
    durations,
    byteCount: answered[0]?.byteCount ?? 0,
  }
}

const headerEnd = Buffer.from('\r\n\r\n')

/** One connection. Plain sockets, so that the client takes little of the processors that it shares with the server. */
function sendUntil({ url, path, headers = {}, status = 200 }: LoadOptions, until: number) {
  const { hostname, port, host } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
  const durations: number[] = []
  return new Promise<{ readonly durations: readonly number[]; readonly byteCount: number }>((resolve, reject) => {
    let [sentAt, left, byteCount] = [0, -1, 0]
    let head: Buffer = Buffer.alloc(0)
    const socket = connect(Number(port), hostname, send).setNoDelay(true)
    function send(): void {
      sentAt = performance.now()
      left = -1
      head = Buffer.alloc(0)
      socket.write(request)
    }
    function readHead(chunk: Buffer): void {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      const end = head.indexOf(headerEnd)
      if (end < 0) return
      const text = head.subarray(0, end).toString('latin1')
      if (!text.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`${path}: ${text.split('\r\n')[0]}`)
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      if (length === undefined && status !== 304) throw new Error(`${path}: no content-length`)
      byteCount = Number(length ?? 0)
      left = byteCount - (head.length - end - headerEnd.length)
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        if (left < 0) readHead(chunk)
        else left -= chunk.length
      } catch (error) {
        socket.destroy()
        return reject(error)
      }
      if (left !== 0) return
      durations.push(performance.now() - sentAt)
      if (performance.now() < until) return send()
      socket.destroy()
      resolve({ durations, byteCount })
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error(`${path}: the server closed the connection`)))
  })
}
