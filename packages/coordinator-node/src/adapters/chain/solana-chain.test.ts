import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openSolanaChain } from './solana-chain.ts'

/** The first signature of some transaction, in base58. */
const id = `2${'3'.repeat(87)}`

let server: Server | undefined
const requests: unknown[] = []
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  requests.splice(0)
})

/** A JSON-RPC server that knows one status; a number is an HTTP status, and `undefined` no answer at all. */
async function serve(status: object | number | null | undefined): Promise<string> {
  server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    const call = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly id: unknown }
    requests.push(call)
    if (status === undefined) return
    if (typeof status === 'number') response.writeHead(status).end('busy')
    else {
      const answer =
        status !== null && 'code' in status ? { error: status } : { result: { context: { slot: 9 }, value: [status] } }
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...answer }))
    }
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2?api-key=secret`
}

const final = { slot: 5, confirmations: null, err: null, status: { Ok: null }, confirmationStatus: 'finalized' }

test('a final transaction without an error is accepted, also an old one', async () => {
  const chain = await openSolanaChain({ url: await serve(final) })
  await chain.requireFinal(id)
  expect(requests).toMatchObject([
    { method: 'getSignatureStatuses', params: [[id], { searchTransactionHistory: true }] },
  ])
})

test.each([
  ['is unknown', null, 'NOT_VERIFIED', 'does not exist on this network'],
  [
    'is not final',
    { ...final, confirmations: 3, confirmationStatus: 'confirmed' },
    'NOT_VERIFIED',
    'is not final yet (confirmed)',
  ],
  ['failed', { ...final, err: { InstructionError: [0, { Custom: 1 }] } }, 'NOT_VERIFIED', 'failed, so it paid nobody'],
  ['has no error field', { ...final, err: undefined }, 'NOT_VERIFIED', 'failed, so it paid nobody'],
  ['has no status', {}, 'NOT_VERIFIED', 'failed'],
])('a transaction that %s is not', async (_, status, code, problem) => {
  const chain = await openSolanaChain({ url: await serve(status) })
  const asking = chain.requireFinal(id)
  await expect(asking).rejects.toMatchObject({ code })
  await expect(asking).rejects.toThrow(problem)
})

test.each([
  ['answers with an error of HTTP', 429],
  ['answers with an error of JSON-RPC', { code: -32005, message: 'Node is behind by 42 slots' }],
  ['does not answer', undefined],
])('a server that %s is unavailable, and its key is not shown', async (_, status) => {
  const chain = await openSolanaChain({ url: await serve(status), limitMs: 300 })
  const asking = chain.requireFinal(id)
  await expect(asking).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
  await expect(asking).rejects.not.toThrow('secret')
  await expect(asking).rejects.toThrow(/^SOLANA_RPC_URL: 127\.0\.0\.1:\d+ cannot be asked for the transaction: /)
})

test('a server that is gone is unavailable', async () => {
  const chain = await openSolanaChain({ url: await serve(final) })
  server?.close()
  await expect(chain.requireFinal(id)).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
})

test('a missing package is an error of the setting', async () => {
  const load = () => Promise.reject(new Error("Cannot find package '@solana/kit'"))
  await expect(openSolanaChain({ url: 'https://rpc.example', load })).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringMatching(
      /^SOLANA_RPC_URL: .*Cannot find package.*\n {2}fix: install it with: npm install @solana\/kit@8/,
    ),
  })
})
