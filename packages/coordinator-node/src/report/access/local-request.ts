import { type Client, isLoopback } from './client-address.ts'

/**
 * Why a request without a key is not taken for the operator's; `null` if it is. The operator's programs run on this machine. So
 * do browsers, which send requests for pages of other sites: they name the page in Origin and Sec-Fetch-Site. A page whose own
 * name was made to point to this machine (DNS rebinding) is recognised by that name in Host.
 */
export function whyNotLocal(client: Client, headers: Headers): string | null {
  if (!client.isHere) return 'it does not come directly from this machine'
  const host = hostOf(`http://${headers.get('host') ?? ''}`)
  if (host === null || !isOwnName(host.hostname)) {
    return 'the name in Host is not this machine: use localhost or 127.0.0.1'
  }
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none')
    return 'a page of another site sent it (Sec-Fetch-Site)'
  const origin = headers.get('origin')
  if (origin !== null && hostOf(origin)?.host !== host.host) return 'a page of another site sent it (Origin)'
  return null
}

function hostOf(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null
}

function isOwnName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopback(name.replace(/^\[(.*)\]$/, '$1'))
}
