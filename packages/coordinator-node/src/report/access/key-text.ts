import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ApiKey } from '../../domain/access/api-key.ts'

/** What a key begins with, so that people and secret scanners recognise it. */
export const keyPrefix = 'crunch_'

const keyForm = /^crunch_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/

/** Whether a text has a whole key anywhere in it. */
export function containsKey(text: string): boolean {
  return /crunch_[0-9a-f]{8}_[A-Za-z0-9_-]{43}/.test(text)
}

/** A new key: `crunch_ID_SECRET` with a random id and 32 random bytes. The text cannot be derived from what is stored. */
export function newKeyText(): { readonly id: string; readonly text: string; readonly hash: string } {
  const id = randomBytes(4).toString('hex')
  const text = `${keyPrefix}${id}_${randomBytes(32).toString('base64url')}`
  return { id, text, hash: hashOf(text).toString('hex') }
}

/** The id in a key; `null` for a text that is no key. */
export function keyIdOf(text: string): string | null {
  return keyForm.exec(text)?.[1] ?? null
}

/** Whether a text is the key with this hash. Takes the same time for every text of its length. */
export function isKeyOf({ hash }: Pick<ApiKey, 'hash'>, text: string): boolean {
  return timingSafeEqual(hashOf(text), Buffer.from(hash, 'hex'))
}

/** Compares two secrets in constant time. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(expected))
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
