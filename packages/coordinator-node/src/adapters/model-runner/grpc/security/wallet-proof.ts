import { createPublicKey, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http2'

/** The wallet whose signature must state that a connection's key belongs to a model. */
export interface ExpectedOwner {
  readonly modelId: string
  /** Base58. */
  readonly walletPubkey: string | null
  readonly hotkey: string | null
  /** The server's public key of the TLS connection, DER SubjectPublicKeyInfo. */
  readonly tlsKey: Buffer
}

/**
 * The problem with the proof in the headers of an answer; `undefined` if it is valid. The proof is a JSON message that
 * names the server's TLS key, the model, its hotkey and optionally an expiry, signed by the participant's wallet (Ed25519).
 */
export function findProofFault(headers: IncomingHttpHeaders, owner: ExpectedOwner, nowMs: number): string | undefined {
  const { 'x-server-auth-message': message, 'x-server-auth-signature': signature } = headers
  const wallet = headers['x-server-wallet-pubkey']
  if (typeof message !== 'string' || typeof signature !== 'string' || typeof wallet !== 'string') {
    return 'the answer has no proof of a wallet (x-server-auth-message, x-server-auth-signature, x-server-wallet-pubkey)'
  }
  if (owner.walletPubkey === null) return 'the orchestrator named no wallet to verify the proof of the answer'
  if (wallet !== owner.walletPubkey) return `the proof is for the wallet ${cut(wallet)}, not for ${owner.walletPubkey}`
  const messageBytes = Buffer.from(message, 'base64')
  if (!isSigned(messageBytes, Buffer.from(signature, 'base64'), wallet)) {
    return 'the signature of the proof does not belong to the wallet'
  }
  const payload = parseObject(messageBytes.toString('utf8'))
  if (payload === undefined) return 'the message of the proof is not a JSON object'
  return findPayloadFault(payload, owner, nowMs)
}

function findPayloadFault(
  payload: Readonly<Record<string, unknown>>,
  owner: ExpectedOwner,
  nowMs: number,
): string | undefined {
  const { cert_pub: tlsKey, model_id: modelId, hotkey, expires_at: expiresAt } = payload
  if (typeof tlsKey !== 'string' || !Buffer.from(tlsKey, 'base64').equals(owner.tlsKey)) {
    return 'the proof is for a different TLS key than that of the server'
  }
  if (modelId !== owner.modelId) return `the proof is for the model ${cut(JSON.stringify(modelId))}`
  if ((hotkey ?? null) !== owner.hotkey) return `the proof is for the hotkey ${cut(JSON.stringify(hotkey))}`
  if (expiresAt === undefined || expiresAt === null) return undefined
  const expiresAtSeconds = typeof expiresAt === 'string' && /^\d+$/.test(expiresAt) ? Number(expiresAt) : expiresAt
  if (typeof expiresAtSeconds !== 'number') return 'the expires_at of the proof is not a time'
  if (nowMs < expiresAtSeconds * 1_000) return undefined
  return `the proof expired at ${cut(String(expiresAt))} (expires_at, in seconds)`
}

/** Ed25519 keys as Solana's wallets write them. */
function isSigned(message: Buffer, signature: Buffer, wallet: string): boolean {
  const bytes = decodeBase58(wallet)
  if (bytes?.length !== 32) return false
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
    return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
  } catch {
    // The bytes are not a point of the curve.
    return false
  }
}

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A key has at most 44 digits. */
function decodeBase58(text: string): Buffer | undefined {
  if (!/^[1-9A-HJ-NP-Za-km-z]{1,44}$/.test(text)) return undefined
  let value = 0n
  for (const digit of text) value = value * 58n + BigInt(ALPHABET.indexOf(digit))
  const zeros = /^1*/.exec(text)![0].length
  const hex = value === 0n ? '' : value.toString(16)
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')])
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return Object.fromEntries(Object.entries(value))
  } catch {
    return undefined
  }
}

/** The text is untrusted, so it is escaped and shortened. */
function cut(text: string | undefined): string {
  return String(text).slice(0, 100)
}
