import type { Context } from 'hono'
import { jsonText } from '../../domain/json/json-text.ts'

/**
 * A response of strict JSON: a NaN, which `JSON.stringify` would silently write as `null`, throws an error naming its path.
 */
export function jsonResponse(context: Context, body: unknown, status: 200 | 201 | 503 = 200): Response {
  return context.body(jsonText(body), status, { 'content-type': 'application/json; charset=utf-8' })
}
