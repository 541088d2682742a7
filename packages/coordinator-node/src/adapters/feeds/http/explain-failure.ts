import { systemErrorCode } from '@crunch/local-processes'

/** What to do about a failure of a connection, by the code of its error. */
const fixes: readonly (readonly [codes: RegExp, fix: string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL)$/, "check the host in the address, and this machine's network and DNS"],
  [/^ECONNREFUSED$/, 'check the port in the address, and whether the server runs'],
  [/^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/, "check this machine's network"],
  [/^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/, 'check the address, and whether a firewall is in between'],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    'the server or a proxy closed the connection; if it stays so, check the address',
  ],
  [
    /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    "the provider must renew its certificate; check also this machine's clock",
  ],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'the certificate is that of another host: check the host in the address'],
  [
    /SELF_SIGNED_CERT|^UNABLE_TO_(GET_ISSUER|VERIFY)|^CERT_UNTRUSTED$/,
    "if you trust the server, start the node with NODE_EXTRA_CA_CERTS=FILE, its authority's certificate",
  ],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_)/, 'the server does not speak TLS there: check https:// or http://, and the port'],
]

/** Cause and fix of a request that failed without an answer. */
export function explainFailure(error: unknown): string {
  const code = codeOf(error)
  const fix = fixes.find(([codes]) => codes.test(code))?.[1]
  return fix === undefined ? causeOf(error) : `${causeOf(error)}; ${fix}`
}

/** The cause behind the uninformative message `fetch failed`. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  // An AggregateError: all addresses of the host name failed.
  if (cause instanceof AggregateError) return cause.errors.map(causeOf).join(', ')
  return cause.message
}

function codeOf(error: unknown): string {
  const code = systemErrorCode(error)
  if (code !== undefined) return code
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : ''
}
