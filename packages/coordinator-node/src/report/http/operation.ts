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
  const values = Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)] as const)
  return { params: withExamples(params, values) }
}

function queryOf(definition: RouteDefinition) {
  const { query, example } = definition
  if (query === undefined && !isList(definition)) return {}
  const values = [...new URLSearchParams(example.path.split('?')[1])]
  const fields = withExamples(query ?? z.object({}), values)
  return { query: isList(definition) ? fields.extend({ format: formatField }) : fields }
}

/** All values of a request are text; the schema says what they stand for. */
function withExamples(fields: z.ZodObject, values: readonly (readonly [string, string])[]): z.ZodObject {
  const shown = values.flatMap(([name, value]) => {
    const field = fields.shape[name] as z.ZodType | undefined
    if (field === undefined) return []
    const meta = field.meta()
    const isText = meta?.type !== 'integer' && meta?.type !== 'boolean'
    const typed = name === 'projectIds' ? value.split(',') : isText ? value : JSON.parse(value)
    return [[name, field.meta({ ...meta, examples: [typed] })] as const]
  })
  return z.object({ ...fields.shape, ...Object.fromEntries(shown) })
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
