import { isIPv6 } from 'node:net'
import { userInfo } from 'node:os'
import { CrunchError } from '../../../../domain/errors.ts'

/** Encryption of the connection, with the meaning of `sslmode` in PostgreSQL's own programs. */
type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/** Address and login of a database. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Folder of a Unix socket, instead of `host`. */
  readonly folder: string | undefined
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly sslMode: SslMode
  /** Initial session settings, e.g. `application_name`. */
  readonly session: Readonly<Record<string, string>>
}

/** Why an address is invalid, and the fix. Does not quote the address, which may contain a password. */
export interface AddressProblem {
  readonly problem: string
}

// A separate parser, because WHATWG's `URL` differs: it ends a password at `#` and `?` and does not support socket folders. Like
// psql, this parser ends user and password at the first `@` and refuses a bare `%`.

/** Parses `postgres://user:password@host:port/database?parameters` like PostgreSQL's own programs. */
export function readAddress(url: string): Address | AddressProblem {
  const scheme = /^postgres(?:ql)?:\/\//.exec(url)?.[0]
  if (scheme === undefined) return { problem: `does not begin with postgres://: write ${form}` }
  const rest = url.slice(scheme.length)
  const end = /[@/]/.exec(rest)?.index ?? rest.length
  const hasUser = rest[end] === '@'
  const place = hasUser ? rest.slice(end + 1) : rest
  if (place.includes('@')) return { problem: 'has an @ or / in the user or the password: write @ as %40 and / as %2F' }
  try {
    const [user, password] = hasUser ? splitAt(rest.slice(0, end), ':') : []
    return readPlace(place, { user: decode(user, 'user'), password: decode(password, 'password') })
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message }
    throw error
  }
}

/** Parses an address that should have been checked with the settings. Throws a `CrunchError` SETTINGS_INVALID if it is invalid. */
export function addressOf(url: string): Address {
  const address = readAddress(url)
  if (!('problem' in address)) return address
  throw new CrunchError('SETTINGS_INVALID', `the address of the database ${address.problem}`)
}

/** `postgres://user:***@host:5432/name`, for messages and logs. */
export function maskUrl(url: string): string {
  const address = readAddress(url)
  if ('problem' in address) return 'with an address that cannot be read'
  const { user, password, host, port, folder, database } = address
  const login = `${encodeURIComponent(user)}${password === undefined ? '' : ':***'}`
  const server = `${isIPv6(host) ? `[${host}]` : host}:${port}`
  return `postgres://${login}@${server}/${encodeURIComponent(database)}${folder === undefined ? '' : `?host=${folder}`}`
}

const form = 'postgres://user:password@host:port/database'

class Unreadable extends Error {}

function splitAt(text: string, separator: string): readonly [string, string | undefined] {
  const index = text.indexOf(separator)
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + separator.length)]
}

function decode(text: string | undefined, part: string): string | undefined {
  if (text === undefined || text === '') return undefined
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw new Unreadable(`has a bare % in the ${part}: write % as %25`)
  if (/%00|[\0\r\n]/.test(text))
    throw new Unreadable(`has a character in the ${part} that PostgreSQL does not accept: remove it`)
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Unreadable(`has percent-encoded bytes in the ${part} that are not UTF-8: encode it as UTF-8`)
  }
}

interface Login {
  readonly user: string | undefined
  readonly password: string | undefined
}

/** The part after the `@`. */
function readPlace(place: string, login: Login): Address {
  const [beforeQuery, query] = splitAt(place, '?')
  const [server, path] = splitAt(beforeQuery, '/')
  const parameters = readParameters(query ?? '')
  const { host, port } = readServer(server)
  const named = parameters.host ?? host
  if (named === undefined) throw new Unreadable(`names no host: write ${form}, or ?host=/folder for a socket`)
  const problem = hostProblem(named)
  if (problem !== undefined) throw new Unreadable(`has a host that ${problem}`)
  const isFolder = named.startsWith('/')
  const user = parameters.user ?? login.user ?? userInfo().username
  return {
    host: isFolder ? (host === undefined || host.startsWith('/') ? 'localhost' : host) : named,
    folder: isFolder ? named : undefined,
    port: readPort(parameters.port ?? port),
    user,
    password: parameters.password ?? login.password,
    database: parameters.dbname ?? decode(path, 'name of the database') ?? user,
    sslMode: readSslMode(parameters.sslmode),
    session: sessionOf(parameters),
  }
}

function readServer(server: string): { readonly host: string | undefined; readonly port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(server)
  if (bracketed !== null) {
    const host = decode(bracketed[1], 'host')
    if (host === undefined || !isIPv6(host))
      throw new Unreadable('has no IPv6 address between [ and ]: write one there')
    return { host, port: bracketed[2] }
  }
  const [host, port] = splitAt(server, ':')
  if (port?.includes(':')) throw new Unreadable('has an IPv6 address without brackets: write it as [::1]')
  return { host: decode(host, 'host'), port }
}

/** Why a text is not a host, completing "a host that …"; `undefined` for a name, an address or a socket folder. */
export function hostProblem(host: string): string | undefined {
  if (host.startsWith('/') || isIPv6(host)) return undefined
  if (host.includes(',')) return 'is a list: name one host, such as a proxy that follows the primary server'
  if (host.startsWith('@')) return 'is an abstract socket: name the folder of a socket'
  if (/^\[.*\]$/.test(host)) return 'has brackets: write the IPv6 address without them'
  if (host.includes('://')) return 'is a URL: name the host alone'
  if (/^[^:]+:\d*$/.test(host)) return 'has a port in it: name the host alone'
  if (!/^[\p{L}\p{N}._-]+$/u.test(host)) return 'is neither a name nor an IP address nor a folder that begins with /'
  return undefined
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return 5432
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  // Like psql: a slash in a password ends the server part, so that the password is parsed as a port.
  throw new Unreadable(
    'has a port that is not a number from 1 to 65535; in a user or password, write / as %2F and : as %3A',
  )
}

/** Supported parameters of PostgreSQL's own programs. */
const known = new Set(['host', 'port', 'user', 'password', 'dbname', 'sslmode', 'application_name', 'options'])
/** Values that request the default behaviour. */
const without: Readonly<Record<string, readonly string[]>> = {
  channel_binding: ['disable', 'prefer'],
  gssencmode: ['disable', 'prefer'],
  target_session_attrs: ['any'],
  client_encoding: ['UTF8', 'utf8', 'auto'],
  sslnegotiation: ['postgres'],
}
const fixes: Readonly<Record<string, string>> = {
  channel_binding: 'write channel_binding=prefer, or remove it',
  connect_timeout: 'the limit for connecting is always 10 s; remove it',
  hostaddr: 'write the IP address as the host',
  passfile: 'write the password, or set PGPASSWORD',
  sslrootcert: 'set NODE_EXTRA_CA_CERTS to the file and sslmode=verify-full',
  target_session_attrs: 'name the primary server; a standby is refused anyway',
}

function readParameters(query: string): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {}
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [encodedName, encodedValue] = splitAt(pair, '=')
    const name = decode(encodedName, 'name of a parameter') ?? ''
    const value = decode(encodedValue, `parameter ${name}`)
    if (value === undefined)
      throw new Unreadable(`has the parameter ${name} without a value: write ${name}=value, or remove it`)
    if (parameters[name] !== undefined) throw new Unreadable(`has the parameter ${name} twice: remove one`)
    if (without[name]?.includes(value)) continue
    if (!known.has(name))
      throw new Unreadable(`has the parameter ${name}, which is not supported: ${fixes[name] ?? 'remove it'}`)
    parameters[name] = value
  }
  return parameters
}

function readSslMode(mode: string | undefined): SslMode {
  switch (mode) {
    case undefined:
      return 'disable'
    case 'disable':
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return mode
    default:
      throw new Unreadable('has an sslmode that is none of disable, prefer, require, verify-ca and verify-full')
  }
}

function sessionOf({ application_name: name, options }: Readonly<Record<string, string>>): Record<string, string> {
  return { ...(name !== undefined && { application_name: name }), ...(options !== undefined && { options }) }
}

const tls = {
  disable: false,
  prefer: 'prefer',
  require: 'require',
  // The certificate must be signed by a known authority, for any host.
  'verify-ca': { checkServerIdentity: () => undefined },
  'verify-full': 'verify-full',
} as const satisfies Record<SslMode, boolean | string | object>

/** The options of postgres.js for an address. Its own URL parser supports neither IPv6 nor socket folders. */
export function clientOptions({ host, port, folder, user, password, database, sslMode }: Address) {
  // Lists, which its types do not declare: in a string, it would parse a `:` as the start of a port.
  const server: object = { host: [host], port: [port] }
  return {
    ...server,
    ...(folder === undefined ? {} : { path: `${folder}/.s.PGSQL.${port}` }),
    user,
    ...(password === undefined ? {} : { password }),
    database,
    ssl: tls[sslMode],
  }
}
