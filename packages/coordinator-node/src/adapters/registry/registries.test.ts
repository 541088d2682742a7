import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { deploymentRegistry } from './deployment-registry.ts'
import { fileRegistry } from './file-registry.ts'
import { httpRegistry } from './http-registry.ts'
import { parseCrunchers } from './parse-crunchers.ts'

const [one, two] = ['EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', 'So11111111111111111111111111111111111111112']
const json = (...crunchers: readonly object[]) => JSON.stringify({ crunchers }, null, 2)
const alice = { id: 'alice', wallet: one, index: 0 }
const bob = { id: 'bob', wallet: two }
const accounts = new Map([
  ['alice', { wallet: one, onchainIndex: 0 }],
  ['bob', { wallet: two, onchainIndex: null }],
])

describe('the accounts of crunchers', () => {
  test('are read, with or without an index, and with the mark of a UTF-8 file', () => {
    expect(parseCrunchers(json(alice, bob), 'f')).toEqual(accounts)
    expect(parseCrunchers(`\uFEFF${json(alice, { ...bob, index: null })}`, 'f')).toEqual(accounts)
    expect(parseCrunchers(json(), 'f')).toEqual(new Map())
    const shared = parseCrunchers(json(alice, { ...alice, id: 'alice-2' }), 'f')
    expect(shared.get('alice-2')).toEqual(shared.get('alice'))
  })

  // Each entry takes five lines, the first from line 3 on.
  test.each([
    ['no JSON', '{\n  "crunchers": [\n', 'f:3: the text is not JSON (Unexpected end of JSON input'],
    ['a comma too many', '{\n "crunchers": [\n  ],\n}', 'f:4: the text is not JSON'],
    ['another encoding', Buffer.from(json(alice), 'utf16le').toString('utf8'), 'f:1: the text is not UTF-8'],
    ['no list', '{}', 'f:1: crunchers: '],
    ['an unknown key', '{"crunchers": [], "models": {}}', 'Unrecognized key: "models"'],
    ['no cruncher', json(alice, { wallet: two }), 'f:8: crunchers.1.id: must be the id of a cruncher'],
    ['an empty cruncher', json({ ...bob, id: '' }), 'f:3: crunchers.0.id: is empty'],
    ['a key in its place', json(alice, { ...bob, wallt: two }), 'f:8: crunchers.1: Unrecognized key: "wallt"'],
    [
      'a short wallet',
      json({ ...bob, wallet: two?.slice(1) }),
      'f:3: crunchers.0.wallet: is no address of a wallet: it has 31 bytes',
    ],
    [
      'a wallet of an account on another chain',
      json({ ...bob, wallet: '0x52908400098527886E0F7030069857D2E4169EE7' }),
      'characters that are not base58',
    ],
    ['an index below 0', json({ ...alice, index: -1 }), 'crunchers.0.index: must be 0 or more'],
    ['an index as text', json({ ...alice, index: '0' }), 'crunchers.0.index: must be a whole number'],
    [
      'a cruncher twice',
      json(alice, bob, { ...bob, wallet: one }),
      'f:12: crunchers.2: the cruncher "bob" has an account already, as on line 8',
    ],
    [
      'a wallet with two indexes',
      json(alice, { ...bob, wallet: one, index: 1 }),
      `the wallet ${one} has the index 0 already, as on line 3`,
    ],
    [
      'an index of two wallets',
      json(alice, { ...bob, index: 0 }),
      `f:8: crunchers.1: the index 0 belongs to the wallet ${one} already`,
    ],
    [
      'a key twice',
      `{"crunchers":[${JSON.stringify(bob).replace('}', `,"wallet":"${one}"}`)}]}`,
      'f:1: crunchers.0 has "wallet" twice',
    ],
  ])('with %s are refused as a whole, with the place', (_, text, problem) => {
    expect(() => parseCrunchers(text, 'f')).toThrow(expect.objectContaining({ code: 'REGISTRY_INVALID' }))
    expect(() => parseCrunchers(text, 'f')).toThrow(problem)
  })
})

describe('a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crunchers-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('is read anew each time; a missing one is an error with its path', async () => {
    const path = join(folder, 'crunchers.json')
    const registry = fileRegistry(path)
    await expect(registry.accounts([])).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringMatching(`^${path}: the file does not exist\n {2}fix: write the wallet`),
    })
    for (const [text, found] of [
      [json(), new Map()],
      [json(alice, bob), accounts],
    ] as const) {
      await writeFile(path, text)
      expect(await registry.accounts([])).toEqual(found)
    }
    await expect(fileRegistry(folder).accounts([])).rejects.toThrow(`${folder}: the file cannot be read (EISDIR)`)
  })
})

describe('an endpoint', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener)
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/crunchers?key=secret`
  }

  test('is asked for the same JSON', async () => {
    const url = await serve((_, response) => response.end(json(alice, bob)))
    expect(await httpRegistry(url).accounts([])).toEqual(accounts)
  })

  test.each<[string, RequestListener, string]>([
    ['an error', (_, response) => response.writeHead(503).end(json(alice)), 'it answered with HTTP 503'],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/other' }).end(), 'unexpected redirect'],
    ['a page', (_, response) => response.end('<html>'), 'the text is not JSON'],
    ['too much', (_, response) => response.end(' '.repeat(10_000_001)), 'its answer is larger than 10000000 bytes'],
    ['nothing', (request) => request.socket.destroy(), 'other side closed'],
  ])('that answers with %s is an error with its URL, without parameters', async (_, listener, problem) => {
    const url = await serve(listener)
    const failing = httpRegistry(url).accounts([])
    await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/^REGISTRY_/) })
    await expect(failing).rejects.toThrow(problem)
    await expect(failing).rejects.toThrow(url.replace('?key=secret', ':'))
    await expect(failing).rejects.not.toThrow('secret')
  })
})

test('deployments give the wallets of crunchers whose id is one, without an index', async () => {
  const models = ['local-0001', one, two, one].map((cruncherId = '') => ({ cruncherId }))
  expect(await deploymentRegistry.accounts(models)).toEqual(
    new Map([one, two].map((wallet) => [wallet, { wallet, onchainIndex: null }])),
  )
})
