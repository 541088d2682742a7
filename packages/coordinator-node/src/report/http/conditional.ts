/** Weak comparison of a header `If-None-Match` (RFC 9110, section 13.1.2): whether the client has the answer with this tag. */
export function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  const opaque = (text: string) => text.trim().replace(/^W\//, '')
  return header.trim() === '*' || header.split(',').some((one) => opaque(one) === opaque(tag))
}

/** Whether a client that sends this header `Accept-Encoding` takes gzip. */
export function takesGzip(header = ''): boolean {
  const codings = header.split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    return { name, isRefused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) }
  })
  const named = codings.find(({ name }) => name === 'gzip') ?? codings.find(({ name }) => name === '*')
  return named !== undefined && !named.isRefused
}
