import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A certificate and its key, made for one test; all PEM. */
export interface Issued {
  readonly certificate: Buffer
  readonly key: Buffer
  readonly privateKey: KeyObject
  readonly name: string
}

export interface IssueOptions {
  /** The issuing certificate. When absent, the certificate is self-signed and may issue others. */
  readonly issuer?: Issued
  /** Host names and IPv4 addresses. */
  readonly hosts?: readonly string[]
  readonly expiresAt?: Date
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** The part of X.509 (RFC 5280) that TLS in tests needs. */
export function issue(name: string, { issuer, hosts = [], expiresAt }: IssueOptions = {}): Issued {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const algorithm = sequence(objectId(1, 2, 840, 113549, 1, 1, 11), tlv(0x05))
  const extensions = [
    ...(issuer === undefined ? [extension(objectId(2, 5, 29, 19), sequence(tlv(0x01, Buffer.from([0xff]))))] : []),
    ...(hosts.length > 0 ? [extension(objectId(2, 5, 29, 17), sequence(...hosts.map(alternativeName)))] : []),
  ]
  const content = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(new Date(Date.now() - 2 * DAY_MS)), time(expiresAt ?? new Date(Date.now() + DAY_MS))),
    distinguishedName(name),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [tlv(0xa3, sequence(...extensions))] : []),
  )
  const signature = sign('sha256', content, issuer?.privateKey ?? privateKey)
  const der = sequence(content, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const body = der.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    certificate: Buffer.from(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`),
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    privateKey,
    name,
  }
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts)
  const length =
    value.length < 0x80 ? Buffer.from([value.length]) : Buffer.from([0x82, value.length >> 8, value.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, value])
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...parts)
}

function integer(value: Buffer): Buffer {
  return tlv(0x02, value)
}

function objectId(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second]
  for (const number of rest) {
    const digits = [number & 0x7f]
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return tlv(0x06, Buffer.from(bytes))
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(objectId(2, 5, 4, 3), tlv(0x0c, Buffer.from(commonName)))))
}

/** UTCTime: until 2049. */
function time(at: Date): Buffer {
  return tlv(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`))
}

function alternativeName(host: string): Buffer {
  return isIPv4(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host))
}

function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, tlv(0x04, value))
}
