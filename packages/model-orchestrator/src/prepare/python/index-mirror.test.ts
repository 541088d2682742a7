import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startIndexMirror } from './index-mirror.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** An index whose pages answer with these statuses, one after the other. */
async function serveIndex(statuses: number[]): Promise<URL> {
  const server: Server = createServer((_, response) => response.writeHead(statuses.shift() ?? 200).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`)
}

it('clears a problem once the same page answers, but not because another index does', async () => {
  const none = { ca: undefined, clientCertificate: undefined, trustedHosts: [], proxies: {}, noProxy: [], netrc: '' }
  const indexes = [await serveIndex([503, 503, 200]), await serveIndex([])]
  const mirror = await startIndexMirror({
    settings: { indexes, linkPages: [], linkFolders: [], constraints: [], connection: none, ignored: [] },
    hashes: new Map(),
    cache: { read: async () => null, write: async () => undefined },
    socket: null,
  })
  cleanups.push(() => mirror.close())
  const ask = (index: number) => fetch(`http://127.0.0.1:${mirror.port}/simple/${index}/pandas/`)
  expect(mirror.problem()).toBeNull()
  await ask(0)
  await ask(1)
  expect(mirror.problem()).toMatch(/127\.0\.0\.1:\d+ answered with status 503/)
  await ask(0)
  await ask(0)
  expect(mirror.problem()).toBeNull()
})
