import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** The connection of a request; absent if it came through no socket, as in tests. */
export interface Connection {
  readonly remoteAddress: string | undefined
  readonly httpVersion: string
  readonly headerCount: number
}

/** The connection in the bindings that the server passes with a request. */
export function readConnection(env: unknown): Connection | undefined {
  const incoming = (env as { readonly incoming?: IncomingMessage } | undefined)?.incoming
  if (incoming?.socket === undefined) return undefined
  const { socket, httpVersion, rawHeaders } = incoming
  return { remoteAddress: socket.remoteAddress, httpVersion, headerCount: rawHeaders.length / 2 }
}

export interface Client {
  /** `null`: unknown. */
  readonly address: string | null
  /** Whether the address is this machine's, and no proxy may be hiding another one. */
  readonly isHere: boolean
}

/** Headers by which a proxy says that a request is not its own. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']

/** Whether an address belongs to a proxy of the operator. */
export type IsTrusted = (address: string) => boolean

/**
 * The client of a request: the other end of the socket; only behind a trusted proxy the last address in X-Forwarded-For that is
 * not a proxy's. Everything before it was written by the client.
 */
export function readClient(connection: Connection | undefined, headers: Headers, isTrusted: IsTrusted): Client {
  const socket = plainAddress(connection?.remoteAddress ?? '')
  if (connection === undefined || socket === null) return { address: null, isHere: false }
  if (isTrusted(socket)) {
    const hops = forwardedHops(headers)
    // Another machine's 127.0.0.1 is not this one's, and anybody in a trusted network could claim it.
    const isHere = isLoopback(socket) && hops.every((hop) => hop !== null && isLoopback(hop))
    return { address: clientOf(hops, isTrusted) ?? socket, isHere }
  }
  // An unknown proxy on this machine: it speaks for others. nginx adds no header by default, but speaks HTTP/1.0.
  const isProxied = forwardingHeaders.some((name) => headers.has(name)) || connection.httpVersion === '1.0'
  return { address: socket, isHere: isLoopback(socket) && !isProxied }
}

type Hops = readonly (string | null)[]

/** Never empty: `null` stands for what is missing or not an address. */
function forwardedHops(headers: Headers): Hops {
  return (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => plainAddress(hop.trim()))
}

function clientOf(hops: Hops, isTrusted: IsTrusted): string | null {
  const last = hops.findLast((hop) => hop === null || !isTrusted(hop))
  return last === undefined ? (hops[0] ?? null) : last
}

/** Without the port, brackets, zone and the IPv6 form of an IPv4 address; `null` if it is not an address. */
function plainAddress(text: string): string | null {
  const bare =
    /^\[(.+)\](:\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text)
  const address = bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 ? null : address
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** By whom requests are counted: an IPv6 user has a whole /64. */
export function countedAs(address: string | null): string {
  if (address === null || isIP(address) !== 6) return address ?? 'unknown'
  const [head = '', tail] = address.toLowerCase().split('::')
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const [first = [], last = []] = [left, right]
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return [...first, ...zeros, ...last].slice(0, 4).join(':')
}

/** Whether this is how this machine's own address is counted. */
export function isLoopbackNetwork(counted: string): boolean {
  return counted === countedAs('::1') || isLoopback(counted)
}

/** Why a text is not an address or a network such as `10.0.0.0/8`; `undefined` if it is one. */
export function networkProblem(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  const isValid =
    family !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
  return isValid ? undefined : 'must be IP addresses or networks such as 10.0.0.0/8, separated by commas'
}

/** Whether an address is in one of these addresses and networks, which must be valid. */
export function trustedProxies(networks: readonly string[]): IsTrusted {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return (address) => list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}
