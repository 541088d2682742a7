import { STATUS_CODES } from 'node:http'
import type { RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import type { ErrorStatus, RouteDefinition } from './define-route.ts'
import { formatField, isList, listTypes } from './formats.ts'
import { problemSchema } from './problem.ts'

/** Of every route: the form of the request, its key, its number, its parameters; then what the client did not cause. */
const commonErrors: readonly ErrorStatus[] = [400, 401, 403, 414, 422, 429, 431, 500, 503]

/** The schemes of keys in the document, each an alternative. */
export const keySchemes = {
  bearer: { type: 'http', scheme: 'bearer' },
  header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
} as const

/** Where a node without the key still answers, none is the first alternative. */
function keysOf({ tier }: RouteDefinition): Record<string, string[]>[] {
  const keys = Object.keys(keySchemes).map((name) => ({ [name]: [] }))
  return tier === 'public' || tier === 'read' ? [{}, ...keys] : keys
}

/** A definition as an operation of OpenAPI. */
export function operationOf(definition: RouteDefinition): RouteConfig {
  const { method, path, tag, summary, description, body, answer, status = 200, example } = definition
  const { mediaType = 'application/json', errors = [], otherAnswers = {} } = definition
  const problems = [...new Set([...errors, ...(body === undefined ? [] : [413 as const]), ...commonErrors])].sort()
  return {
    method,
    path,
    operationId: operationId(definition),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: keysOf(definition),
    request: {
      ...paramsOf(definition),
      ...queryOf(definition),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: body, example: example.body } } } }),
    },
    responses: {
      [status]: { description: summary, content: { [mediaType]: { schema: answer }, ...rowsContent(definition) } },
      ...(method === 'get'
        ? { 304: { description: 'The client has this answer: `If-None-Match` names its ETag.' } }
        : {}),
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

/** The parameters of the path, each with its value in the worked example, which `/docs` offers to try out. */
function paramsOf({ path, params, example }: RouteDefinition) {
  if (params === undefined) return {}
  const [asked = ''] = example.path.split('?')
  const groups = new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(asked)?.groups ?? {}
  const fields = Object.entries(groups).map(([name, value]) => {
    const field = params.shape[name] as z.ZodType
    return [name, field.meta({ ...field.meta(), examples: [decodeURIComponent(value)] })] as const
  })
  return { params: z.object(Object.fromEntries(fields)) }
}

function queryOf(definition: RouteDefinition) {
  const { query } = definition
  if (isList(definition)) return { query: (query ?? z.object({})).extend({ format: formatField }) }
  return query === undefined ? {} : { query }
}

/** The rows of a list in its other forms. */
function rowsContent(definition: RouteDefinition) {
  const text = { schema: { type: 'string' } } as const
  return isList(definition) ? { [listTypes.csv]: text, [listTypes.ndjson]: text } : {}
}

/** `get_reports_models_model_id_diversity` */
function operationId({ method, path }: RouteDefinition): string {
  return `${method}${path.replaceAll(/[{}]/g, '').replaceAll(/[/-]/g, '_')}`
}
