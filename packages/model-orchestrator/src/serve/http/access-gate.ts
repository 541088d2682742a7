import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../listen-on.ts'

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

const KEY_PLACE =
  'the file .orchestrator-key beside the logs of the models, or the API_KEY that the orchestrator was started with'

/**
 * Every request needs the key, even from this machine: adding a model runs code here, and models and web pages on this
 * machine can reach its ports.
 */
export function createAccessGate(apiKey: string): (headers: Headers) => Refusal | null {
  return (headers) => {
    const given = headers.get('x-api-key') ?? bearerOf(headers.get('authorization'))
    if (given !== null && isSameText(given, apiKey)) return null
    const text = `a key is needed: send it as X-API-Key, or as Authorization: Bearer; it is in ${KEY_PLACE}`
    return { status: 401, text: given === null ? text : `the key is wrong; ${text}` }
  }
}

/** Whether a client may subscribe to the discovery socket, and whether it is the coordinator in charge. */
export type UpgradeJudgement = { readonly refusal: Refusal } | { readonly hasKey: boolean }

/**
 * Deployed coordinators have no key, so programs without one may connect. Web pages may not: a browser sends the page's
 * origin with each upgrade, and a page whose host name resolves to this machine is recognised by that name. A
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

/** Whether a name cannot be registered publicly: public names have a dot and do not end like names of a local network. */
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

/** Compares digests in constant time; they have equal length. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
