import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createGatewayToken } from './gateway-token.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const now = 1_735_689_600_999

function messageOf(headers: Record<string, string>): string {
  return Buffer.from(headers['x-gateway-auth-message'] ?? '', 'base64').toString('latin1')
}

describe('the token for a gateway', () => {
  it('is the compact message, its PKCS#1 v1.5 signature and the key, in Base64', () => {
    const headers = createGatewayToken(privateKey, '42')(now)
    expect(Object.keys(headers)).toEqual([
      'x-gateway-auth-message',
      'x-gateway-auth-signature',
      'x-gateway-auth-pubkey',
    ])
    expect(messageOf(headers)).toBe('{"model_id":"42","timestamp":1735689600}')
    const key = createPublicKey({
      key: Buffer.from(headers['x-gateway-auth-pubkey'] ?? '', 'base64'),
      format: 'der',
      type: 'spki',
    })
    expect(key.equals(createPublicKey(privateKey))).toBe(true)
    const signature = Buffer.from(headers['x-gateway-auth-signature'] ?? '', 'base64')
    expect(verify('sha256', Buffer.from(messageOf(headers)), key, signature)).toBe(true)
  })

  it.each([
    ['é', '"\\u00e9"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\u007f"\\\n', '"\\u007f\\"\\\\\\n"'],
  ])('escapes non-ASCII characters as Python does: %j', (modelId, written) => {
    const message = messageOf(createGatewayToken(privateKey, modelId)(now))
    expect(message).toBe(`{"model_id":${written},"timestamp":1735689600}`)
  })

  it('is reused for 5 s, and renewed when the clock was set back', () => {
    const token = createGatewayToken(privateKey, '42')
    const times = [0, 4_000, 5_000, 2_000].map((afterMs) => messageOf(token(now + afterMs)).slice(-11, -1))
    expect(times).toEqual(['1735689600', '1735689600', '1735689605', '1735689602'])
  })
})
