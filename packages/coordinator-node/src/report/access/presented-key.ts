import { containsKey } from './key-text.ts'

/** Names under which clients send keys in the query. */
const keyParameters = ['api_key', 'apikey', 'api-key', 'x-api-key', 'access_token', 'authorization']

export type PresentedKey = { readonly key: string } | { readonly refusal: string } | null

/** The key of a request's headers; `null` without one. Other schemes of Authorization are for proxies in front of the node. */
export function presentedKey(headers: Headers): PresentedKey {
  const bearer = /^Bearer(?: +(.*))?$/i.exec(headers.get('authorization') ?? '')
  const [inBearer, inHeader] = [bearer === null ? null : (bearer[1] ?? '').trim(), headers.get('x-api-key')]
  const key = inBearer ?? inHeader
  if (key === null) return null
  if (inBearer !== null && inHeader !== null && inBearer !== inHeader) {
    return {
      refusal: 'The request contains different keys. Send one of them, in Authorization, X-API-Key or the path.',
    }
  }
  return key === '' ? { refusal: 'The key is empty. Send the key, or no header.' } : { key }
}

/** Why a key in the query is refused; `null` if there is none. It never repeats the key. */
export function keyInQuery(query: URLSearchParams): string | null {
  for (const [name, value] of query) {
    if (!keyParameters.includes(name.toLowerCase()) && !containsKey(name) && !containsKey(value)) continue
    return (
      'A key in the URL ends up in logs, histories and other pages, so it is refused. ' +
      'Send it in a header, Authorization: Bearer KEY or X-API-Key: KEY, and replace this one with: crunch keys rotate NAME.'
    )
  }
  return null
}
