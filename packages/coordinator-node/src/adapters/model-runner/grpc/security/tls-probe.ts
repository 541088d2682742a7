import { connect } from 'node:tls'
import { readModelAddress } from '../discovery/model-address.ts'

/** Whether the server at this address uses TLS, with any certificate. Never rejects. */
export function speaksTls(ip: string, port: number, timeoutMs: number): Promise<boolean> {
  const { endpoint } = readModelAddress(ip, port)
  return new Promise((resolve) => {
    const socket = connect({ ...endpoint, ALPNProtocols: ['h2'], rejectUnauthorized: false })
    const end = (isTls: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isTls)
    }
    const timer = setTimeout(() => end(false), timeoutMs)
    socket.once('secureConnect', () => end(true))
    // An alert proves TLS too: some servers abort the handshake without our certificate.
    socket.on('error', (error: NodeJS.ErrnoException) => end(/^ERR_SSL_.*ALERT/.test(error.code ?? '')))
    socket.once('close', () => end(false))
  })
}
