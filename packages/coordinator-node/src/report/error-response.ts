import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { CrunchError, type CrunchErrorCode } from '../domain/errors.ts'
import type { Log } from '../ports/log.ts'

/** The HTTP status of each code. Errors that the client did not cause are 500, or 503 if they may be temporary. */
const statuses: Readonly<Record<CrunchErrorCode, ContentfulStatusCode>> = {
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  LEASE_HELD: 409,
  NOT_ACKNOWLEDGED: 409,
  STORE_UNAVAILABLE: 503,
  FEED_UNAVAILABLE: 503,
  FEED_INTERRUPTED: 503,
  ORCHESTRATOR_UNAVAILABLE: 503,
  CONTRACT_INVALID: 500,
  CONTRACT_NOT_LOADED: 500,
  SETTINGS_INVALID: 500,
  STORE_TOO_NEW: 500,
  STORE_CORRUPT: 500,
  STORE_UNSUITABLE: 500,
  OTHER_COMPETITION: 500,
  CONTRACT_CHANGED: 500,
  ERA_ENDED: 500,
  PERIOD_CLOSED: 500,
  RECORDING_INVALID: 500,
  PORT_IN_USE: 500,
}

/** What a client may see of an error that it did not cause: messages and causes can contain hosts, paths and rows. */
const publicTexts: Readonly<Partial<Record<ContentfulStatusCode, string>>> = {
  500: 'The node failed to answer. Its log says why.',
  503: 'A service that the node needs is unavailable. Try again later.',
}

export interface FieldError {
  readonly property: string
  readonly message: string
}

/** `detail` is what clients of the Python engine read, `message` and `fieldErrors` what the web application reads. */
export function errorBody(text: string, fieldErrors?: readonly FieldError[]) {
  return { detail: text, message: text, ...(fieldErrors === undefined ? {} : { fieldErrors }) }
}

export function errorStatus(code: CrunchErrorCode): ContentfulStatusCode {
  return statuses[code]
}

/** The response to an exception of a route; logs it unless only the client is at fault. */
export function errorResponse(error: Error, context: Context, log: Log): Response {
  if (error instanceof z.ZodError) {
    const fieldErrors = error.issues.map(({ path, message }) => ({ property: path.join('.'), message }))
    const text = fieldErrors.map(({ property, message }) => `${property} ${message}`).join('; ')
    return context.json(errorBody(text, fieldErrors), 422)
  }
  if (error instanceof HTTPException)
    return context.json(errorBody(error.message), error.status as ContentfulStatusCode)
  const status = error instanceof CrunchError ? errorStatus(error.code) : 500
  if (status >= 500) {
    log.error('request failed', {
      stage: 'report',
      method: context.req.method,
      path: context.req.path,
      error: error.message,
      code: error instanceof CrunchError ? error.code : null,
      stack: error.stack ?? null,
    })
  }
  return context.json(errorBody(publicTexts[status] ?? error.message), status)
}
