import { connect, type Socket } from 'node:net'

/** Many clients of one stream of server-sent events. */
export interface StreamClients {
  /** Resolves with the time of each client once all have had another event. */
  nextEvents(): Promise<readonly number[]>
  close(): void
}

/** Opens the streams. Plain sockets, so that the clients take little of the processors that they share with the server. */
export async function openStreams(url: string, path: string, count: number): Promise<StreamClients> {
  const { hostname, port, host } = new URL(url)
  const sockets: Socket[] = []
  let heard: ((index: number) => void) | undefined
  await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const socket = connect(Number(port), hostname)
      sockets.push(socket)
      return new Promise<void>((resolve, reject) => {
        socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`))
        socket.on('error', reject)
        socket.on('data', (chunk: Buffer) => {
          const text = chunk.toString('latin1')
          if (text.startsWith('HTTP/1.1')) {
            if (text.startsWith('HTTP/1.1 200')) resolve()
            else reject(new Error(`${path}: ${text.split('\r\n')[0]}`))
          }
          if (text.includes('event: ')) heard?.(index)
        })
      })
    }),
  )
  return {
    nextEvents() {
      const times = new Map<number, number>()
      return new Promise((resolve) => {
        heard = (index) => {
          if (!times.has(index)) times.set(index, performance.now())
          if (times.size < count) return
          heard = undefined
          resolve([...times.values()])
        }
      })
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
