import type { IpcNetConnectOpts, TcpNetConnectOpts } from 'node:net'

/** A machine that vanished without a word is noticed by the system after this, and after its probes. */
const KEEP_ALIVE_MS = 60_000

/** Where a model listens, as node's `net` and as HTTP/2 want it. */
export interface ModelAddress {
  readonly endpoint: TcpNetConnectOpts | IpcNetConnectOpts
  /** For `:authority`, where nothing else is asked for. */
  readonly authority: string
}

/**
 * The announced ip and port, together, are a target as gRPC names them (github.com/grpc/grpc, doc/naming.md): host and
 * port, IPv6 with or without brackets, or `unix:` and the path of a socket. A name that means nothing is only found out
 * by connecting.
 */
export function readModelAddress(ip: string, port: number): ModelAddress {
  const path = /^unix:(?:\/\/(?=\/))?(.*)$/s.exec(`${ip}:${port}`)?.[1]
  if (path !== undefined) return { endpoint: { path }, authority: 'localhost' }
  const host = ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return {
    endpoint: { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    authority,
  }
}
