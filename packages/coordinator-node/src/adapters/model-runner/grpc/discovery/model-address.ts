import type { IpcNetConnectOpts, TcpNetConnectOpts } from 'node:net'

/** Idle time before TCP keep-alive probes, which detect a machine that vanished without closing its connections. */
const KEEP_ALIVE_MS = 60_000

/** Where a model listens, as node's `net` and as HTTP/2 want it. */
export interface ModelAddress {
  readonly endpoint: TcpNetConnectOpts | IpcNetConnectOpts
  /** The default `:authority`. */
  readonly authority: string
}

/**
 * Announced ip and port together form a gRPC target (github.com/grpc/grpc, doc/naming.md): host and port, IPv6 with or
 * without brackets, or `unix:` and the path of a socket. Only connecting shows whether a host name exists.
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
