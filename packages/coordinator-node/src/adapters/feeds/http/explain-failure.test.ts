import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { explainFailure } from './explain-failure.ts'
import { getText } from './get-text.ts'
import { type LocalServer, startLocalServer } from './local-server.testkit.ts'

/** An error of `fetch`, whose cause has the code. */
const failed = (code: string, message = `it failed with ${code}`) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })

test.each([
  ['ENOTFOUND', /with ENOTFOUND; check the host in the address, and this machine's network and DNS$/],
  ['EAI_AGAIN', /; check the host/],
  ['ECONNREFUSED', /; check the port in the address, and whether the server runs$/],
  ['EHOSTUNREACH', /; check this machine's network$/],
  ['UND_ERR_CONNECT_TIMEOUT', /; check the address, and whether a firewall is in between$/],
  ['ECONNRESET', /; the server or a proxy closed the connection/],
  ['CERT_HAS_EXPIRED', /; the provider must renew its certificate/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /; the certificate is that of another host/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /; if you trust the server, .*NODE_EXTRA_CA_CERTS/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /NODE_EXTRA_CA_CERTS/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /; the server does not speak TLS there/],
  ['EPROTO', /; the server does not speak TLS there/],
  ['UND_ERR_OTHER', /^it failed with UND_ERR_OTHER$/],
])('%s has a fix', (code, explanation) => {
  expect(explainFailure(failed(code))).toMatch(explanation)
})

test('all addresses of a host that fail are named, with the fix of the first', () => {
  const both = ['1.2.3.4', '::1'].map((it) => Object.assign(new Error(`to ${it}`), { code: 'ECONNREFUSED' }))
  const error = new TypeError('fetch failed', { cause: new AggregateError(both) })
  expect(explainFailure(error)).toBe('to 1.2.3.4, to ::1; check the port in the address, and whether the server runs')
  expect(explainFailure('broken')).toBe('broken')
})

describe('a request', () => {
  const servers: Pick<LocalServer, 'close'>[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })
  const ask = (url: string) => getText({ url: new URL(url), signal: AbortSignal.timeout(10_000) })

  test('of TLS to a server without it has a fix', async () => {
    const server = await startLocalServer((_, response) => response.end('{}'))
    servers.push(server)
    await expect(ask(server.url.replace('http:', 'https:'))).rejects.toThrow(/; the server does not speak TLS there/)
  })

  test('to a port without a server has a fix', async () => {
    const server = await startLocalServer(() => undefined)
    await server.close()
    await expect(ask(`${server.url}/prices?key=secret`)).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:\d+\/prices cannot be reached: connect ECONNREFUSED .*; check the port in the address/,
    )
  })

  test('to a server that hangs up has a fix', async () => {
    const server = createTcpServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.push({ close: () => new Promise((resolve) => server.close(() => resolve())) })
    const { port } = server.address() as { readonly port: number }
    await expect(ask(`http://127.0.0.1:${port}/`)).rejects.toThrow(/; the server or a proxy closed the connection/)
  })
})
