/**
 * A key at the start of the path, `/k/KEY/reports/...`, for clients that can only be given a base URL: the path without it, and
 * the key. `null`: there is none.
 */
export function splitPathKey(url: URL): { readonly key: string; readonly url: URL } | null {
  const [, encoded, rest] = /^\/k\/([^/]+)(\/.*)?$/s.exec(url.pathname) ?? []
  if (encoded === undefined || rest?.startsWith('/k/') === true) return null
  const inner = new URL(url)
  inner.pathname = rest ?? '/'
  return { key: decoded(encoded), url: inner }
}

/** A segment of a path without its escapes; as it is if they are malformed. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
