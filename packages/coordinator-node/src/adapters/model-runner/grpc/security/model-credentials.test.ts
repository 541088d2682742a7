import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issue } from '../testing/certificates.ts'
import { readModelCredentials } from './model-credentials.ts'

const authority = issue('an authority')
const client = issue('a client', { issuer: authority })
const good = { 'ca.crt': authority.certificate, 'tls.crt': client.certificate, 'tls.key': client.key }
const rsaKey = client.key
const ellipticKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})
const lockedKey = client.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificates-'))
})

afterEach(() => rm(folder, { recursive: true }))

async function fill(files: Record<string, Uint8Array | string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}

describe('readModelCredentials', () => {
  it('is insecure without settings', () => {
    expect(readModelCredentials({})).toEqual({ mode: 'insecure' })
  })

  it('reads three files for mutual TLS', async () => {
    await fill(good)
    expect(readModelCredentials({ SECURE_CERT_DIR: folder })).toEqual({
      mode: 'mutual TLS',
      authority: authority.certificate,
      certificate: client.certificate,
      key: client.key,
    })
  })

  it.each([rsaKey, client.privateKey.export({ type: 'pkcs1', format: 'pem' })])(
    'reads the key for a gateway',
    async (key) => {
      await fill({ 'key.pem': key })
      const credentials = readModelCredentials({ GATEWAY_CERT_DIR: folder })
      expect(credentials.mode === 'gateway' && credentials.key.equals(client.privateKey)).toBe(true)
    },
  )

  const expired = issue('a client', { issuer: authority, expiresAt: new Date(1.7e12) })
  it.each<[string, Record<string, Uint8Array | string>, string, string]>([
    ['no file', { 'tls.key': client.key, 'tls.crt': client.certificate }, 'ca.crt', 'cannot be read: ENOENT'],
    ['no certificate', { ...good, 'ca.crt': 'hello' }, 'ca.crt', 'holds no certificate in PEM'],
    ['a key in place of a certificate', { ...good, 'tls.crt': client.key }, 'tls.crt', 'holds no certificate in PEM'],
    [
      'a certificate in place of a key',
      { ...good, 'tls.key': client.certificate },
      'tls.key',
      'holds no unencrypted private key in PEM',
    ],
    ['an encrypted key', { ...good, 'tls.key': lockedKey }, 'tls.key', 'holds no unencrypted private key in PEM'],
    [
      'the key of another certificate',
      { ...good, 'tls.key': authority.key },
      'tls.key',
      'does not match the certificate',
    ],
    [
      'an expired certificate',
      { ...good, 'tls.crt': expired.certificate },
      'tls.crt',
      'the certificate expired on Nov 14',
    ],
  ])('names the file of mutual TLS when there is %s', async (_, files, name, problem) => {
    await fill(files)
    expect(() => readModelCredentials({ SECURE_CERT_DIR: folder })).toThrow(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        message: expect.stringContaining(`${join(folder, name)} (SECURE_CERT_DIR): ${problem}`),
      }),
    )
  })

  it.each<[string, Record<string, Uint8Array | string>, string]>([
    ['no file', {}, 'cannot be read: ENOENT'],
    ['no key', { 'key.pem': 'hello' }, 'holds no unencrypted private key'],
    ['a key of another kind', { 'key.pem': ellipticKey }, 'is a key of type ec, but gateways accept only RSA'],
  ])('names the file of a gateway when there is %s', async (_, files, problem) => {
    await fill(files)
    expect(() => readModelCredentials({ GATEWAY_CERT_DIR: folder })).toThrow(
      `${join(folder, 'key.pem')} (GATEWAY_CERT_DIR): ${problem}`,
    )
  })
})
