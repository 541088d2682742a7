import { mkdtemp, rm } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import type { ModelState } from '@crunch/model-protocol'
import { ServerCredentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Issued, issue } from '../testing/certificates.ts'
import type { ObjectServerOptions } from '../testing/object-server.ts'
import { ask, call, openScene, type Scene, stateOf } from '../testing/scene.ts'
import { createWallet, tlsKeyOf } from '../testing/wallet.ts'
import { openModelChannel } from '../transport/model-channel.ts'
import type { ModelCredentials } from './model-credentials.ts'

const echo = { echo: (text: string) => text }
const authority = issue('the authority of the models')
const foreign = issue('another authority')
const server = issue('a server', { issuer: authority, hosts: ['model-node-a.crunchdao.internal'] })
const client = issue('the coordinator', { issuer: authority })
const wallet = createWallet()
const proof = { cert_pub: tlsKeyOf(server).toString('base64'), model_id: 'a', hotkey: 'hot', expires_at: 4_000_000_000 }

const mutual: ModelCredentials = {
  mode: 'mutual TLS',
  authority: authority.certificate,
  certificate: client.certificate,
  key: client.key,
}

let scene: Scene

beforeEach(async () => {
  scene = await openScene()
})

afterEach(() => scene.close())

function serverCredentials({ certificate, key }: Issued, clients: Issued | null = authority): ServerCredentials {
  const pair = [{ cert_chain: certificate, private_key: key }]
  return ServerCredentials.createSsl(clients?.certificate ?? null, pair, clients !== null)
}

/** Announces a server as model a of the wallet's owner. */
async function list(options: ObjectServerOptions, changes: Partial<ModelState> = {}): Promise<void> {
  const { port } = await scene.serve(echo, options)
  announce(port, changes)
}

function announce(port: number, changes: Partial<ModelState> = {}): void {
  const state = stateOf('a', port)
  const infos = { ...state.infos, cruncher_wallet_pubkey: wallet.publicKey, cruncher_hotkey: 'hot' }
  scene.orchestrator.list([{ ...state, infos, ...changes }])
}

/** A server that does not speak gRPC, announced as model a. */
async function announceServer(secure: ReturnType<typeof createTlsServer>): Promise<void> {
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  scene.onClose(() => secure.close())
  announce((secure.address() as AddressInfo).port)
}

async function expectReport(reason: string | RegExp): Promise<void> {
  await expect
    .poll(() => scene.orchestrator.reports)
    .toEqual([
      {
        model_id: 'a',
        failure_code: 'CONNECTION_FAILED',
        failure_reason: expect.stringMatching(reason),
        ip: '127.0.0.1',
      },
    ])
}

describe('insecure', () => {
  it('reaches a model over a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'model-'))
    scene.onClose(() => rm(folder, { recursive: true }))
    await list({ path: join(folder, 'sock:1') }, { ip: `unix:${folder}/sock`, port: 1 })
    const runner = await scene.connect()
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ status: 'answered', output: 'x' }])
  })

  it.each([
    ['asks for our certificate', authority],
    ['does not', null],
  ])(
    'names the settings when a model speaks TLS and %s, and reports the model once another one was reached',
    async (_, clients) => {
      await list({ credentials: serverCredentials(server, clients) })
      const runner = await scene.connect({ connectTimeoutMs: 200, setupAttempts: 2, doubtMs: 20 })
      expect(runner.models()).toEqual([])
      expect(scene.logged('a model cannot be set up, or the settings are wrong')).toMatchObject([
        {
          level: 'error',
          fields: {
            modelId: 'a',
            reason: expect.stringContaining('the model uses TLS, but this node connects in insecure mode'),
            fix: expect.stringContaining(
              'set SECURE_CERT_DIR (mutual TLS) or GATEWAY_CERT_DIR (gateway) if all models',
            ),
          },
        },
      ])
      expect(scene.orchestrator.reports).toEqual([])
      const plain = await scene.serve({ echo: (text: string) => text })
      scene.orchestrator.update(stateOf('b', plain.port))
      await expectReport('uses TLS')
      expect(scene.logged('a model cannot be set up, or the settings are wrong')).toHaveLength(1)
    },
  )
})

describe('mutual TLS', () => {
  it('reaches a model with a valid proof under its own host name', async () => {
    const hosts = new Set<string>()
    await list({
      credentials: serverCredentials(server),
      metadata: () => wallet.prove(proof),
      refuse: (_, __, host) => void hosts.add(host),
    })
    const runner = await scene.connect({ credentials: mutual })
    expect((await ask(runner, [call('echo', 'x'), call('echo', 'y')])).a).toMatchObject([
      { status: 'answered', output: 'x' },
      { status: 'answered', output: 'y' },
    ])
    expect([...hosts]).toEqual(['model-node-a.crunchdao.internal'])
  })

  it('sends the host name (SNI) to servers with several certificates', async () => {
    const names = new Set<unknown>()
    const { certificate, key } = server
    const secure = createSecureServer({ cert: certificate, key, ca: authority.certificate, requestCert: true })
    secure.on('secureConnection', (socket) => {
      names.add(socket.servername)
      socket.destroy()
    })
    await announceServer(secure)
    await scene.connect({ credentials: mutual, connectTimeoutMs: 2_000, setupAttempts: 1 })
    expect([...names]).toEqual(['model-node-a.crunchdao.internal'])
  })

  it('accepts a proof without an expiry', async () => {
    const { expires_at: _, ...endless } = proof
    await list({ credentials: serverCredentials(server), metadata: () => wallet.prove(endless) })
    expect((await scene.connect({ credentials: mutual })).models()).toHaveLength(1)
  })

  const tampered = { ...wallet.prove(proof), ...pick(wallet.prove({ ...proof, more: 1 }), 'x-server-auth-signature') }
  it.each([
    ['no proof', {}, 'the answer has no proof of a wallet'],
    ['half a proof', pick(wallet.prove(proof), 'x-server-auth-message'), 'the answer has no proof of a wallet'],
    ['the proof of another wallet', createWallet().prove(proof), 'the proof is for the wallet'],
    ['a signature of something else', tampered, 'the signature of the proof does not belong to the wallet'],
    ['text that is not JSON', wallet.prove('{"cert_pub"'), 'the message of the proof is not a JSON object'],
    ['a list', wallet.prove('[1]'), 'the message of the proof is not a JSON object'],
    [
      'another key',
      wallet.prove({ ...proof, cert_pub: tlsKeyOf(client).toString('base64') }),
      'for a different TLS key',
    ],
    ['no key', wallet.prove({ ...proof, cert_pub: undefined }), 'for a different TLS key'],
    ['another model', wallet.prove({ ...proof, model_id: 'b' }), 'for the model "b"'],
    ['another hotkey', wallet.prove({ ...proof, hotkey: 'cold' }), 'for the hotkey "cold"'],
    ['an expiry in the past', wallet.prove({ ...proof, expires_at: 1_700_000_000 }), 'the proof expired at 1700000000'],
    ['an expiry in the past, as text', wallet.prove({ ...proof, expires_at: '1700000000' }), 'the proof expired'],
    [
      'an expiry that is not a time',
      wallet.prove({ ...proof, expires_at: 'soon' }),
      'the expires_at of the proof is not a time',
    ],
  ])('reports a model whose Setup is answered with %s', async (_, headers, reason) => {
    await list({ credentials: serverCredentials(server), metadata: () => headers })
    const runner = await scene.connect({ credentials: mutual })
    expect(runner.models()).toEqual([])
    await expectReport(reason)
  })

  it('rejects a model for which the orchestrator names no wallet', async () => {
    const { infos } = stateOf('a', 1)
    await list({ credentials: serverCredentials(server), metadata: () => wallet.prove(proof) }, { infos })
    await scene.connect({ credentials: mutual })
    await expectReport('the orchestrator named no wallet')
  })

  it('rejects answers of a model whose proof becomes invalid, and reports the model', async () => {
    let current = proof
    await list({ credentials: serverCredentials(server), metadata: () => wallet.prove(current) })
    const runner = await scene.connect({ credentials: mutual })
    current = { ...proof, expires_at: 1_700_000_000 }
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([
      { status: 'absent', reason: 'unauthenticated', blame: 'model', detail: expect.stringContaining('expired') },
    ])
    await expectReport(/^echo ended with unauthenticated: .*the proof expired/)
    expect(runner.models()).toEqual([])
  })

  it('reports a runner that refuses this node at Setup, with the reason', async () => {
    const refuse = () => 'TLS certificate hash does not match'
    await list({ credentials: serverCredentials(server), metadata: () => wallet.prove(proof), refuse })
    await scene.connect({ credentials: mutual })
    await expectReport(/does not accept the certificate of this node \(SECURE_CERT_DIR\): TLS certificate hash/)
  })

  it('keeps a model whose runner refuses this node later: the answers of the other models decide who is to blame', async () => {
    let refusal: string | undefined
    await list({ credentials: serverCredentials(server), metadata: () => wallet.prove(proof), refuse: () => refusal })
    const runner = await scene.connect({ credentials: mutual })
    refusal = 'registered anew'
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([
      { status: 'absent', reason: 'access_denied', blame: 'model' },
    ])
    expect(runner.models()).toHaveLength(1)
    expect(scene.orchestrator.reports).toEqual([])
  })

  const named = (issuer: Issued, host: string) => issue('a server', { issuer, hosts: [host] })
  it.each([
    ['of another authority', named(foreign, 'model-node-a.crunchdao.internal'), /unable to verify|self.signed/],
    ['of another name', named(authority, 'model-node-b.crunchdao.internal'), /is not in the cert's altnames/],
    [
      'that has expired',
      issue('a server', { issuer: authority, hosts: ['model-node-a.crunchdao.internal'], expiresAt: new Date(1.7e12) }),
      /expired/,
    ],
  ])('reports at once a server with a certificate %s', async (_, wrong, reason) => {
    await list({ credentials: serverCredentials(wrong), metadata: () => wallet.prove(proof) })
    await scene.connect({ credentials: mutual })
    await expectReport(new RegExp(`^no connection in mode mutual TLS: .*${reason.source}`))
  })

  it('reports at once a server that rejects our certificate', async () => {
    await list({ credentials: serverCredentials(server, foreign) })
    await scene.connect({ credentials: mutual })
    await expectReport('no connection in mode mutual TLS: the other side hung up after it received the certificate')
  })

  it('reports at once a server that requires our certificate', async () => {
    const { certificate, key } = server
    const options = { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true }
    await announceServer(createSecureServer(options))
    await scene.connect({ credentials: { mode: 'gateway', key: client.privateKey, authority: authority.certificate } })
    await expectReport(/^no connection in mode gateway: /)
  })

  it('reports at once a server without TLS', async () => {
    await list({})
    await scene.connect({ credentials: mutual })
    await expectReport('no connection in mode mutual TLS: the other side does not use TLS')
  })

  it('reports a server without HTTP/2', async () => {
    const { certificate, key } = server
    await announceServer(createTlsServer({ cert: certificate, key }, (socket) => socket.on('error', () => {})))
    await scene.connect({ credentials: mutual, connectTimeoutMs: 1_000, setupAttempts: 2 })
    await expectReport(/^no Setup in 2 attempts: no connection within 1000 ms: .*does not offer HTTP\/2/)
  })
})

describe('gateway', () => {
  const gateway = issue('a gateway', { issuer: authority, hosts: ['127.0.0.1', 'localhost'] })
  const credentials: ModelCredentials = { mode: 'gateway', key: client.privateKey, authority: authority.certificate }

  it.each(['127.0.0.1', 'localhost'])('signs calls to the model behind %s', async (ip) => {
    const signed: string[] = []
    await list(
      {
        credentials: serverCredentials(gateway, null),
        refuse(path, metadata) {
          const message = Buffer.from(String(metadata.get('x-gateway-auth-message')[0]), 'base64').toString()
          signed.push(`${path.split('/').at(-1)} ${message.replace(/\d{10}/, 'now')}`)
          return undefined
        },
      },
      { ip },
    )
    const runner = await scene.connect({ credentials })
    expect((await ask(runner, [call('echo', 'x')])).a).toMatchObject([{ status: 'answered', output: 'x' }])
    expect(signed).toEqual(['Setup {"model_id":"a","timestamp":now}', 'Call {"model_id":"a","timestamp":now}'])
  })

  it('sends health checks unsigned', async () => {
    const { port, headers } = await recordHeaders(gateway)
    const target = { modelId: 'a', ip: '127.0.0.1', port, walletPubkey: null, hotkey: null }
    const channel = openModelChannel(target, { credentials, maxOutputBytes: 1_000 })
    scene.onClose(() => channel.close())
    expect(await channel.whenReady(5_000, { failFast: true })).toBe(true)
    await channel.isServing(1_000)
    await channel.setup('tracker.TrackerBase', 1_000)
    expect(headers.map((names) => names.filter((name) => name.startsWith('x-')))).toEqual([
      [],
      ['x-gateway-auth-message', 'x-gateway-auth-signature', 'x-gateway-auth-pubkey'],
    ])
  })

  it('reports at once a gateway with an untrusted certificate', async () => {
    await list({ credentials: serverCredentials(gateway, null) })
    await scene.connect({ credentials: { mode: 'gateway', key: client.privateKey } })
    await expectReport(/^no connection in mode gateway: /)
  })

  it('retries after a refusal, because our key may be registered meanwhile', async () => {
    let refusals = 0
    const refuse = () => (refusals++ === 0 ? 'Gateway authentication failed' : undefined)
    await list({ credentials: serverCredentials(gateway, null), refuse })
    expect((await scene.connect({ credentials })).models()).toHaveLength(1)
    expect(scene.orchestrator.reports).toEqual([])
  })
})

/** Refuses every call and records the names of its headers. */
async function recordHeaders({ certificate, key }: Issued): Promise<{ port: number; headers: string[][] }> {
  const headers: string[][] = []
  const secure = createSecureServer({ cert: certificate, key })
  secure.on('stream', (stream, given) => {
    headers.push(Object.keys(given))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true })
  })
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  scene.onClose(() => secure.close())
  return { port: (secure.address() as AddressInfo).port, headers }
}

function pick(headers: Record<string, string>, name: string): Record<string, string> {
  return { [name]: headers[name] ?? '' }
}
