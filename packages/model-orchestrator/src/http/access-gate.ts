import { createHash, timingSafeEqual } from 'node:crypto'
import { isLoopback } from '../listen-on.ts'
import { OrchestratorError } from '../orchestrator-error.ts'

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

/**
 * Whoever may add a model may run code here. So beyond this machine a key is needed; and on it, a web page that
 * somebody has open must not reach the API through their browser: neither from its own origin, nor by a name of its
 * own that leads to 127.0.0.1.
 *
 * Throws `SETTINGS_INVALID` when it would listen beyond loopback without a key.
 */
export function createAccessGate(host: string, apiKey: string | null): (headers: Headers) => Refusal | null {
  const isLocal = isLoopback(host)
  if (!isLocal && apiKey === null) {
    const fix = 'set API_KEY, or listen on 127.0.0.1 (--http-host), or switch the API off (--http-port off)'
    const problem = `the HTTP API on ${host} would let anyone on the network run code here`
    throw new OrchestratorError('SETTINGS_INVALID', `${problem}; ${fix}`)
  }
  return (headers) => {
    const given = givenKey(headers)
    if (apiKey !== null && given !== null && isSameText(given, apiKey)) return null
    // Without a key of ours, one that is sent says nothing.
    if (isLocal && (given === null || apiKey === null) && isFromThisMachine(headers)) return null
    if (apiKey !== null) {
      const text = 'a key is needed: send the API_KEY of this node as X-API-Key, or as Authorization: Bearer'
      return { status: 401, text: given === null ? text : `the key is wrong; ${text}` }
    }
    const text = 'this API answers programs of this machine only, and no web page of another site'
    return { status: 403, text: `${text}; for others, start the orchestrator with an API_KEY and send it` }
  }
}

function givenKey(headers: Headers): string | null {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  return headers.get('x-api-key') ?? bearer ?? null
}

function isFromThisMachine(headers: Headers): boolean {
  const origin = headers.get('origin')
  return isLocalUrl(`http://${headers.get('host') ?? ''}`) && (origin === null || isLocalUrl(origin))
}

function isLocalUrl(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** Digests have one length, so the time that comparing takes tells nothing. */
function isSameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
