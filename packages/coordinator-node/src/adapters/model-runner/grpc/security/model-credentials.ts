import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { CrunchError } from '../../../../domain/errors.ts'

/** How this node and the models authenticate each other; one mode for all models. */
export type ModelCredentials =
  /** No authentication: for models on this machine. */
  | { readonly mode: 'insecure' }
  /** Certificates on both sides, and a signature of the participant's wallet in each answer. All files are PEM. */
  | {
      readonly mode: 'mutual TLS'
      readonly authority: Buffer
      readonly certificate: Buffer
      readonly key: Buffer
    }
  /** TLS to a gateway with a public certificate; each call is signed. */
  | {
      readonly mode: 'gateway'
      readonly key: KeyObject
      /** Certificate authorities in PEM, instead of the public ones. */
      readonly authority?: Buffer
    }

/**
 * Reads the files of the mode that is set: `key.pem` (RSA) of `GATEWAY_CERT_DIR`, or `ca.crt`, `tls.crt` and `tls.key` of
 * `SECURE_CERT_DIR`; the settings never have both. Throws `SETTINGS_INVALID` with the file, what is wrong with it and what to do.
 */
export function readModelCredentials(settings: {
  readonly GATEWAY_CERT_DIR?: string | undefined
  readonly SECURE_CERT_DIR?: string | undefined
}): ModelCredentials {
  const { GATEWAY_CERT_DIR: gateway, SECURE_CERT_DIR: secure } = settings
  if (gateway !== undefined) return readGatewayKey(gateway)
  if (secure !== undefined) return readCertificates(secure)
  return { mode: 'insecure' }
}

function readGatewayKey(directory: string): ModelCredentials {
  const file = readPart('GATEWAY_CERT_DIR', directory, 'key.pem')
  const key = parse(file, 'no unencrypted private key in PEM', createPrivateKey)
  if (key.asymmetricKeyType !== 'rsa') {
    throw invalid(`${file.place}: is a key of type ${key.asymmetricKeyType}, but gateways accept only RSA: create one`)
  }
  return { mode: 'gateway', key }
}

function readCertificates(directory: string): ModelCredentials {
  const [authority, certificate, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) =>
    readPart('SECURE_CERT_DIR', directory, name),
  ) as [PartFile, PartFile, PartFile]
  const noCertificate = 'no certificate in PEM'
  refuseExpired(authority, parse(authority, noCertificate, toCertificate))
  const parsed = parse(certificate, noCertificate, toCertificate)
  refuseExpired(certificate, parsed)
  const privateKey = parse(key, 'no unencrypted private key in PEM', createPrivateKey)
  if (!parsed.checkPrivateKey(privateKey)) {
    throw invalid(
      `${key.place}: does not match the certificate beside it, tls.crt: use two files that were issued together`,
    )
  }
  return { mode: 'mutual TLS', authority: authority.bytes, certificate: certificate.bytes, key: key.bytes }
}

interface PartFile {
  readonly place: string
  readonly bytes: Buffer
}

function readPart(setting: string, directory: string, name: string): PartFile {
  const path = resolve(directory, name)
  const place = `${path} (${setting})`
  try {
    return { place, bytes: readFileSync(path) }
  } catch (error) {
    const cause = errorText(error)
    throw invalid(`${place}: cannot be read: ${cause}. Put the file there, or correct ${setting}`)
  }
}

function parse<T>({ place, bytes }: PartFile, problem: string, read: (bytes: Buffer) => T): T {
  try {
    return read(bytes)
  } catch {
    // The parser's message describes its internals and may quote secrets.
    throw invalid(`${place}: holds ${problem}: replace the file`)
  }
}

function toCertificate(bytes: Buffer): X509Certificate {
  return new X509Certificate(bytes)
}

function refuseExpired({ place }: PartFile, certificate: X509Certificate): void {
  if (Date.parse(certificate.validTo) > Date.now()) return
  throw invalid(`${place}: the certificate expired on ${certificate.validTo}: have a new one issued`)
}

function invalid(message: string): CrunchError {
  return new CrunchError('SETTINGS_INVALID', message)
}
