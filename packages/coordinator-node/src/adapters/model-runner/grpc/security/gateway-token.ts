import { createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Servers take a signature for 30 s, less what our clocks differ. Signing takes a millisecond, and a fan-out has a thousand. */
const REUSE_SECONDS = 5

/** Signs calls to one model behind a gateway, in the form that deployed gateways check byte by byte. */
export function createGatewayToken(key: KeyObject, modelId: string): (nowMs: number) => Record<string, string> {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  let signedAt = Number.NEGATIVE_INFINITY
  let headers: Record<string, string> = {}
  return (nowMs) => {
    const timestamp = Math.floor(nowMs / 1_000)
    // Also when the clock was set back.
    if (timestamp >= signedAt && timestamp - signedAt < REUSE_SECONDS) return headers
    const message = Buffer.from(toAscii(JSON.stringify({ model_id: modelId, timestamp })))
    signedAt = timestamp
    headers = {
      'x-gateway-auth-message': message.toString('base64'),
      'x-gateway-auth-signature': sign('sha256', message, key).toString('base64'),
      'x-gateway-auth-pubkey': publicKey,
    }
    return headers
  }
}

/** As deployed coordinators write JSON: what is not ASCII is escaped. */
function toAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
