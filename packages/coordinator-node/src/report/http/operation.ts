import { STATUS_CODES } from 'node:http'
import type { RouteConfig } from '@hono/zod-openapi'
import type { ErrorStatus, RouteDefinition } from './define-route.ts'
import { problemSchema } from './problem.ts'

/** Of every route: the form of the request, its key, its number, its parameters; then what the client did not cause. */
const commonErrors: readonly ErrorStatus[] = [400, 401, 403, 414, 422, 429, 431, 500, 503]

/** A definition as an operation of OpenAPI. */
export function operationOf(definition: RouteDefinition): RouteConfig {
  const { method, path, tag, summary, description, params, query, body, answer, status = 200 } = definition
  const { mediaType = 'application/json', errors = [], otherAnswers = {} } = definition
  const problems = [...new Set([...errors, ...(body === undefined ? [] : [413 as const]), ...commonErrors])].sort()
  return {
    method,
    path,
    operationId: operationId(definition),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: {
      [status]: { description: summary, content: { [mediaType]: { schema: answer } } },
      ...Object.fromEntries(
        problems.map((code) => [
          code,
          {
            description: STATUS_CODES[code] ?? 'Error',
            content: { 'application/problem+json': { schema: problemSchema } },
          },
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(otherAnswers).map(([code, schema]) => [
          code,
          { description: STATUS_CODES[code] ?? 'Other', content: { 'application/json': { schema } } },
        ]),
      ),
    },
  }
}

/** `get_reports_models_model_id_diversity` */
function operationId({ method, path }: RouteDefinition): string {
  return `${method}${path.replaceAll(/[{}]/g, '').replaceAll(/[/-]/g, '_')}`
}
