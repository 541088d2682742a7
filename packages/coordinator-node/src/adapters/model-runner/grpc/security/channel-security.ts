import type { IncomingHttpHeaders } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { readModelAddress } from '../discovery/model-address.ts'
import { createGatewayToken } from './gateway-token.ts'
import type { ModelCredentials } from './model-credentials.ts'
import { type ExpectedOwner, findProofFault } from './wallet-proof.ts'

/** A model as it was announced. */
export interface ModelTarget extends Omit<ExpectedOwner, 'tlsKey'> {
  readonly ip: string
  readonly port: number
}

/** What a security mode adds to a connection and its calls. */
export interface ChannelSecurity {
  /** The `:authority` of calls. */
  readonly authority: string
  openSocket(): Socket
  /** Headers of calls to the model; health checks are sent without them. */
  callHeaders(): Readonly<Record<string, string>>
  /** The problem with the proof in the headers of the model's answer, if any. */
  findFault(headers: IncomingHttpHeaders, socket: Socket): string | undefined
}

export function createChannelSecurity(target: ModelTarget, credentials: ModelCredentials): ChannelSecurity {
  const { endpoint, authority } = readModelAddress(target.ip, target.port)
  switch (credentials.mode) {
    case 'insecure':
      return { authority, openSocket: () => connect(endpoint), callHeaders: () => ({}), findFault: () => undefined }
    case 'gateway': {
      const token = createGatewayToken(credentials.key, target.modelId)
      const options = { ...endpoint, ...(credentials.authority && { ca: credentials.authority }) }
      return {
        authority,
        openSocket: () => connectTls({ ...options, ...serverName(endpoint), ALPNProtocols: ['h2'] }),
        callHeaders: () => token(Date.now()),
        findFault: () => undefined,
      }
    }
    case 'mutual TLS': {
      const servername = `model-node-${target.modelId}.crunchdao.internal`
      const { authority: ca, certificate: cert, key } = credentials
      return {
        authority: servername,
        openSocket: () => connectTls({ ...endpoint, ca, cert, key, servername, ALPNProtocols: ['h2'] }),
        callHeaders: () => ({}),
        findFault: checkProof(target),
      }
    }
  }
}

/** SNI is defined for host names only, not for IP addresses. */
function serverName(endpoint: object): { servername?: string } {
  if (!('host' in endpoint) || typeof endpoint.host !== 'string' || /^[\d.]+$|:/.test(endpoint.host)) return {}
  return { servername: endpoint.host }
}

/** The server's key does not change during a connection. */
function checkProof(target: ModelTarget): ChannelSecurity['findFault'] {
  const tlsKeys = new WeakMap<Socket, Buffer>()
  return (headers, socket) => {
    const tlsKey = tlsKeys.get(socket) ?? peerKey(socket as TLSSocket)
    if (tlsKey === undefined) return 'the connection has ended before its key could be compared with the proof'
    tlsKeys.set(socket, tlsKey)
    return findProofFault(headers, { ...target, tlsKey }, Date.now())
  }
}

function peerKey(socket: TLSSocket): Buffer | undefined {
  return socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
}
