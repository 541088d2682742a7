import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../listen-on.ts'

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

const KEY_PLACE =
  'the file .orchestrator-key beside the logs of the models, or the API_KEY that the orchestrator was started with'

/**
 * A request needs the key, wherever it comes from: adding a model means running code here, and models or web pages on
 * this machine can reach its ports like any program.
 */
export function createAccessGate(apiKey: string): (headers: Headers) => Refusal | null {
  return (headers) => {
    const given = headers.get('x-api-key') ?? bearerOf(headers.get('authorization'))
    if (given !== null && isSameText(given, apiKey)) return null
    const text = `a key is needed: send it as X-API-Key, or as Authorization: Bearer; it is in ${KEY_PLACE}`
    return { status: 401, text: given === null ? text : `the key is wrong; ${text}` }
  }
}

/** Who may subscribe to the discovery socket, and whether they are the coordinator in charge. */
export type UpgradeJudgement = { readonly refusal: Refusal } | { readonly hasKey: boolean }

/**
 * Deployed coordinators know no key, so the socket is open to programs without one. Never to web pages: a browser says
 * the page's origin with each upgrade, and a page whose own host name resolves to us is recognised by that name. A
 * coordinator with the key is in charge, and may connect from anywhere.
 */
export function createUpgradeGate(host: string, apiKey: string): (headers: IncomingHttpHeaders) => UpgradeJudgement {
  return (headers) => {
    const given = textOf(headers['x-api-key']) ?? bearerOf(textOf(headers.authorization))
    if (given !== null && isSameText(given, apiKey)) return { hasKey: true }
    if (given !== null) return refuse(401, `the key is wrong; the correct one is in ${KEY_PLACE}`)
    if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
      return refuse(403, `web pages may not subscribe without the key; it is in ${KEY_PLACE}`)
    }
    const name = hostNameOf(headers.host)
    if (name !== null && isOwnName(name, host)) return { hasKey: false }
    const names = isLoopback(host)
      ? '127.0.0.1 or localhost'
      : 'an address, a name without dots, or the one it listens on'
    return refuse(403, `the name in "Host" is not one of this machine; connect by ${names}, or send the key`)
  }
}

function refuse(status: Refusal['status'], text: string): { readonly refusal: Refusal } {
  return { refusal: { status, text } }
}

/** A name that the owner of a web page can point here always has a dot, and no ending of a local network. */
function isOwnName(name: string, listensOn: string): boolean {
  if (isLoopback(name)) return true
  if (isLoopback(listensOn)) return false
  const isLocalName = !name.includes('.') || /\.(local|localhost|internal)$/.test(name)
  return name === listensOn.toLowerCase() || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || isLocalName
}

function hostNameOf(host: string | undefined): string | null {
  const url = `http://${host ?? ''}`
  return host !== undefined && URL.canParse(url) ? new URL(url).hostname.toLowerCase() : null
}

function bearerOf(authorization: string | null): string | null {
  return /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? null
}

function textOf(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** Digests have equal length, so the time of the comparison reveals nothing. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
