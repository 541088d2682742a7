import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { JsonObject } from '../../domain/json/json.ts'

/** Answers through the app's own form of errors. */
export function refuse(status: ContentfulStatusCode, message: string): never {
  throw new HTTPException(status, { message })
}

/** What log lines about a request have in common. The path has no key, and the query is never logged. */
export function requestFields(context: Context): JsonObject {
  return { stage: 'report', requestId: context.get('requestId'), method: context.req.method, path: context.req.path }
}
