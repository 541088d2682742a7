import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionSettings } from './index-settings.ts'

const MAX_REDIRECTS = 5
const IDLE_LIMIT_MS = 60_000

/** A response of a package index; its body has not been read. */
export interface PackageAnswer {
  /** The URL after redirects. */
  readonly url: URL
  readonly status: number
  readonly body: IncomingMessage
}

/** Sends a request to a package index like pip, with the operator's certificates, proxies and passwords. Rejects if it is unreachable. */
export async function fetchPackage(
  url: URL,
  headers: Readonly<Record<string, string>>,
  settings: ConnectionSettings,
): Promise<PackageAnswer> {
  let current = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const body = await send(current, headers, settings)
    const status = body.statusCode ?? 0
    const { location } = body.headers
    if (status < 300 || status >= 400 || location === undefined) return { url: current, status, body }
    body.resume()
    current = new URL(location, current)
    if (!/^https?:$/.test(current.protocol)) break
  }
  throw new Error(`${url.host} redirects endlessly`)
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  settings: ConnectionSettings,
): Promise<IncomingMessage> {
  const proxy = proxyFor(url, settings)
  const authorization = authorizationFor(url, settings)
  const options: RequestOptions = {
    method: 'GET',
    headers: { ...headers, host: url.host, ...(authorization === null ? {} : { authorization }) },
    timeout: IDLE_LIMIT_MS,
  }
  const tls = {
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    ...(settings.clientCertificate === undefined
      ? {}
      : { cert: settings.clientCertificate, key: settings.clientCertificate }),
    rejectUnauthorized: !settings.trustedHosts.some((host) => host === url.host || host === url.hostname),
  }
  const path = `${url.pathname}${url.search}`
  if (url.protocol === 'http:') {
    if (proxy === null) return answerOf(requestHttp({ ...options, ...placeOf(url), path }))
    const through = { ...options.headers, ...proxyAuthorization(proxy) }
    return answerOf(requestHttp({ ...options, ...placeOf(proxy), path: url.href, headers: through }))
  }
  if (proxy === null) return answerOf(requestHttps({ ...options, ...tls, ...placeOf(url), path }))
  const socket = await openTunnel(url, proxy)
  const createConnection = () => connectTls({ socket, servername: url.hostname, ...tls })
  return answerOf(requestHttps({ ...options, ...placeOf(url), path, createConnection }))
}

function placeOf({ hostname, port, protocol }: URL) {
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: port || (protocol === 'https:' ? 443 : 80) }
}

function answerOf(request: ReturnType<typeof requestHttp>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
    request.once('timeout', () => request.destroy(new Error(`no answer within ${IDLE_LIMIT_MS} ms`)))
    request.end()
  })
}

function openTunnel(url: URL, proxy: URL): Promise<Socket> {
  const { hostname, port } = placeOf(url)
  const target = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`
  const send = proxy.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const headers = { host: target, ...proxyAuthorization(proxy) }
    const request = send({ method: 'CONNECT', ...placeOf(proxy), path: target, headers, timeout: IDLE_LIMIT_MS })
    request.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(socket as Socket)
      else {
        socket.destroy()
        reject(new Error(`the proxy ${proxy.host} answered with status ${statusCode}`))
      }
    })
    request.once('error', reject)
    request.once('timeout', () => request.destroy(new Error(`the proxy ${proxy.host} does not answer`)))
    request.end()
  })
}

function proxyFor(url: URL, { proxies, noProxy }: ConnectionSettings): URL | null {
  const isExcluded = noProxy.some((entry) => {
    const name = entry.replace(/^\*?\./, '')
    return entry === '*' || name === url.host || url.hostname === name || url.hostname.endsWith(`.${name}`)
  })
  return isExcluded ? null : (proxies[url.protocol] ?? null)
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  return proxy.username === '' ? {} : { 'proxy-authorization': basic(proxy.username, proxy.password) }
}

function authorizationFor(url: URL, { netrc }: ConnectionSettings): string | null {
  if (url.username !== '') return basic(url.username, url.password)
  const words = netrc.split(/\s+/)
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] !== 'machine' || words[at + 1] !== url.hostname) continue
    const end = words.findIndex((word, index) => index > at + 1 && (word === 'machine' || word === 'default'))
    const entry = words.slice(at + 2, end < 0 ? undefined : end)
    const wordAfter = (name: string) => entry[entry.indexOf(name) + 1] ?? ''
    if (entry.includes('login')) return `Basic ${base64(`${wordAfter('login')}:${wordAfter('password')}`)}`
  }
  return null
}

function basic(user: string, password: string): string {
  return `Basic ${base64(`${decodeURIComponent(user)}:${decodeURIComponent(password)}`)}`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
