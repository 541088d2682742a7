import { STATUS_CODES } from 'node:http'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { CrunchError, type CrunchErrorCode } from '../../domain/errors.ts'
import type { Log } from '../../ports/log.ts'
import type { ReportRequest } from './serve-route.ts'

/** The HTTP status of each code. Errors that the client did not cause are 500, or 503 if they may be temporary. */
const statuses: Readonly<Record<CrunchErrorCode, ContentfulStatusCode>> = {
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  LEASE_HELD: 409,
  NOT_ACKNOWLEDGED: 409,
  NOT_MAPPED: 409,
  NOT_VERIFIED: 409,
  CONFLICT: 409,
  STORE_UNAVAILABLE: 503,
  FEED_UNAVAILABLE: 503,
  FEED_INTERRUPTED: 503,
  ORCHESTRATOR_UNAVAILABLE: 503,
  REGISTRY_UNAVAILABLE: 503,
  CHAIN_UNAVAILABLE: 503,
  REGISTRY_INVALID: 500,
  CONTRACT_INVALID: 500,
  CONTRACT_NOT_LOADED: 500,
  ROUTES_NOT_LOADED: 500,
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

/** One invalid parameter or field. */
export interface FieldError {
  readonly property: string
  readonly message: string
}

/** RFC 9457, with `detail` for clients of the Python engine, and `message` and `fieldErrors` for the web application. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'The name of the status.', examples: ['Not Found'] }),
    status: z.number().int(),
    detail: z.string().meta({ description: 'What is wrong and how to correct it.' }),
    message: z.string().meta({ description: 'The same as `detail`.' }),
    fieldErrors: z
      .array(z.object({ property: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'One for each invalid parameter or field of the body.' }),
    request_id: z.string().meta({ description: 'Also in the header X-Request-Id and in the log of the node.' }),
  })
  .meta({ id: 'Problem' })

export function errorStatus(code: CrunchErrorCode): ContentfulStatusCode {
  return statuses[code]
}

/** `detail` and `message`, for answers that are not problems but must be readable by clients that expect one. */
export function errorTexts(text: string) {
  return { detail: text, message: text }
}

/** An error as the API answers it. */
export function problem(
  context: ReportRequest,
  status: ContentfulStatusCode,
  text: string,
  fieldErrors?: readonly FieldError[],
): Response {
  const body = problemBody(status, text, context.get('requestId'), fieldErrors)
  return context.body(JSON.stringify(body), status, { 'content-type': problemType })
}

export const problemType = 'application/problem+json; charset=utf-8'

export function problemBody(
  status: number,
  text: string,
  requestId: string,
  fieldErrors?: readonly FieldError[],
): z.infer<typeof problemSchema> {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...errorTexts(text),
    ...(fieldErrors === undefined ? {} : { fieldErrors: [...fieldErrors] }),
    request_id: requestId,
  }
}

/** The response to an exception of a route; logs it unless only the client is at fault. */
export function errorResponse(error: Error, context: ReportRequest, log: Log): Response {
  if (error instanceof z.ZodError) {
    const fieldErrors = error.issues.map(({ path, message }) => ({ property: path.join('.'), message }))
    const text = fieldErrors.map(({ property, message }) => `${property} ${message}`.trim()).join('; ')
    const isMalformed = error.issues.every((issue) => 'params' in issue && issue.params?.status === 400)
    return problem(context, isMalformed ? 400 : 422, text, fieldErrors)
  }
  if (error instanceof HTTPException) return problem(context, error.status as ContentfulStatusCode, error.message)
  const status = error instanceof CrunchError ? errorStatus(error.code) : 500
  if (status >= 500) {
    log.error('request failed', {
      stage: 'report',
      request_id: context.get('requestId'),
      method: context.req.method,
      path: context.req.path,
      error: error.message,
      code: error instanceof CrunchError ? error.code : null,
      stack: error.stack ?? null,
    })
  }
  return problem(context, status, publicTexts[status] ?? error.message)
}
