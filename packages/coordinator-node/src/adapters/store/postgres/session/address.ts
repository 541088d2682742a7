/** What a client of postgres.js is opened with. `path` is the file of a socket, of which that client knows nothing in URLs. */
export interface Address {
  readonly url: string
  readonly path: string | undefined
}

/** Reads `?host=/folder`, as other clients of PostgreSQL do: the server then listens on a socket in that folder. */
export function addressOf(url: string): Address {
  const parsed = new URL(url)
  const folder = parsed.searchParams.get('host')
  if (folder === null || !folder.startsWith('/')) return { url, path: undefined }
  // The server would take what is left there for one of its settings.
  parsed.searchParams.delete('host')
  return { url: parsed.href, path: `${folder}/.s.PGSQL.${parsed.port === '' ? 5432 : parsed.port}` }
}
