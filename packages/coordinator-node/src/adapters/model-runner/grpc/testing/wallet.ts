import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import type { Issued } from './certificates.ts'

/** A participant's wallet, which signs proofs. */
export interface Wallet {
  /** Base58. */
  readonly publicKey: string
  /** The proof headers of an answer. A string payload is signed as it is. */
  prove(payload: object | string): Record<string, string>
}

export function createWallet(): Wallet {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = encodeBase58(Buffer.from(x, 'base64url'))
  return {
    publicKey,
    prove(payload) {
      const message = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
      return {
        'x-server-auth-message': message.toString('base64'),
        'x-server-auth-signature': sign(null, message, privateKey).toString('base64'),
        'x-server-wallet-pubkey': publicKey,
      }
    },
  }
}

/** DER SubjectPublicKeyInfo. */
export function tlsKeyOf({ certificate }: Issued): Buffer {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
}

function encodeBase58(bytes: Buffer): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let text = ''
  for (let value = BigInt(`0x${bytes.toString('hex')}`); value > 0n; value /= 58n) {
    text = alphabet.charAt(Number(value % 58n)) + text
  }
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros) + text
}
