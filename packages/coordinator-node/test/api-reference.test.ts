import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import type { RouteDefinition } from '../src/report/http/define-route.ts'
import { fromHere } from '../src/report/report-app.testkit.ts'
import { allRoutes } from '../src/report/routes/all-routes.ts'
import { type ReportReplay, replayReport } from './report-replay.ts'

// Writes docs/api.md from the definitions of the routes; each example is answered by a replay.

const page = fileURLToPath(new URL('../../../docs/api.md', import.meta.url))
const routes: readonly RouteDefinition[] = allRoutes.map(({ definition }) => definition)

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly format?: string
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

let replay: ReportReplay
let document: Document
beforeAll(async () => {
  replay = await replayReport()
  document = (await replay.get<Document>('/openapi.json')).body
})

const escapeCell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  return [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`)
    .join('')
}

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name === undefined ? schema : { ...document.components.schemas[name], ...{ description: schema.description } }
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) as string
  const parts = schema.anyOf ?? schema.allOf
  if (parts !== undefined) return parts.map(typeOf).join(' or ')
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  const range =
    schema.minimum === undefined || schema.maximum === undefined ? '' : ` ${schema.minimum} to ${schema.maximum}`
  return `${[schema.type ?? 'any'].flat().join(' or ')}${range}`
}

/** The schema of a row: of a list, that of its items. */
function rowSchema(schema: Schema): Schema {
  const whole = resolved(schema)
  return whole.items === undefined ? whole : resolved(whole.items)
}

function answerText(schema: Schema): string {
  const row = rowSchema(schema)
  const rows = Object.entries(row.properties ?? {}).map(([name, field]) => {
    const { description = '' } = field.$ref === undefined ? field : resolved(field)
    return [`\`${name}\``, typeOf(field), description]
  })
  const isScored =
    typeof row.additionalProperties === 'object' && Object.keys(row.additionalProperties ?? {}).length > 0
  const more = isScored ? '\nAnd a number or null for each name of the contract.\n' : ''
  return `${resolved(schema).items === undefined ? 'Answer' : 'Answer: a list of rows'}\n\n${table(['field', 'type', 'meaning'], rows)}${more}`
}

const randomId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** The first row of a list, and only two of a list inside; measured times and random ids are replaced, since they differ each time. */
function shortened(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return value.slice(0, depth === 0 ? 1 : 2).map((item) => shortened(item, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, unknown>>).map(([key, item]) => {
      if (typeof item === 'string' && randomId.test(item)) return [key, '9f1c2d34-5b6a-4c7d-8e9f-0a1b2c3d4e5f']
      if (key === 'duration_ms' && typeof item === 'number') return [key, 1.5]
      if (/^(?!performed).*_us$/.test(key) && typeof item === 'number') return [key, 1_500]
      if (key === 'pct_of_total' && item !== null) return [key, 12.5]
      if (key === 'latency_ms' && item !== null) {
        return [key, { p50: 1.5, p95: 2.5, ...(Object.hasOwn(item as object, 'p99') && { p99: 3 }), max: 3.5 }]
      }
      return [key, shortened(item, depth + 1)]
    }),
  )
}

async function example({ method, example: { path, body }, mediaType }: RouteDefinition): Promise<string> {
  const headers = { ...fromHere.init.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const sentBody = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await replay.app.request(path, { method: method.toUpperCase(), headers, ...sentBody }, fromHere.env)
  expect([path, response.status < 300]).toEqual([path, true])
  const sent = body === undefined ? '' : ` with \`${JSON.stringify(body)}\``
  const request = `\`${method.toUpperCase()} ${path}\`${sent}`
  if (mediaType !== undefined) return `${request} answers with ${mediaType}.\n`
  return `${request}\n\n\`\`\`json\n${JSON.stringify(shortened(await response.json()), null, 2)}\n\`\`\`\n`
}

async function routeText(definition: RouteDefinition): Promise<string> {
  const {
    method,
    path,
    summary,
    description,
    tier,
    status = 200,
    mediaType = 'application/json',
    errors = [],
  } = definition
  const operation = document.paths[path]?.[method] as Operation
  const parameters = (operation.parameters ?? []).map(({ name, in: place, schema }) => {
    const fallback = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default)}\`.`
    return [`\`${name}\``, place, typeOf(schema), `${schema.description ?? ''}${fallback}`]
  })
  const body = operation.requestBody?.content['application/json']?.schema
  const bodyRows = Object.entries(body === undefined ? {} : (resolved(body).properties ?? {}))
  const answer = operation.responses[status]?.content[mediaType]?.schema as Schema
  const parts = [
    `### ${method.toUpperCase()} ${path}`,
    [summary, description ?? ''].join(' ').trim(),
    `Tier: ${tier}.${errors.length === 0 ? '' : ` Errors: ${errors.join(', ')}.`}`,
    table(['parameter', 'in', 'type', 'meaning'], parameters),
    table(
      ['field of the body', 'type', 'meaning'],
      bodyRows.map(([name, field]) => [`\`${name}\``, typeOf(field), field.description ?? '']),
    ),
    answerText(answer),
    await example(definition),
  ]
  return parts
    .filter((part) => part !== '')
    .join('\n\n')
    .replaceAll(/\n{3,}/g, '\n\n')
}

test('docs/api.md matches the routes (npm run reference writes it)', async () => {
  const sections: string[] = []
  for (const tag of new Set(routes.map((route) => route.tag))) {
    sections.push(`## ${tag}\n`)
    for (const route of routes.filter((one) => one.tag === tag)) sections.push(await routeText(route))
  }
  const text = `# The report API

Generated from \`packages/coordinator-node/src/report/routes\` by \`npm run reference\`. Do not edit. A running node shows the same at \`/docs\`. Times are
UTC: those of chart series have no zone, since charts append the Z; all others end in Z. Each example is answered by a replay and shortened.

Every route can also answer 400, 401, 403, 414, 422 (a parameter is invalid), 429, 431, 500 and 503 (see [access.md](access.md)) with a problem as in RFC 9457, which has \`detail\`, \`message\`, \`fieldErrors\` and
\`request_id\`. The routes of the web application accept the parameters of its charts (\`projectIds\`, \`start\`, \`end\`, \`include_ensembles\`) even if these mean
nothing there; any other unknown parameter is refused.

A route that answers with a list also takes \`format\`: \`json\`, \`csv\` or \`ndjson\` (or the header \`Accept\`). In CSV a nested value is JSON, and a text that a
spreadsheet would read as a formula is preceded by \`'\`. Every GET has a weak \`ETag\` and answers 304 to an \`If-None-Match\` that names it, except the streams
and files; each may also be asked by HEAD. Answers are compressed if \`Accept-Encoding\` has \`gzip\`.

${sections.join('\n')}`
  await expect(text).toMatchFileSnapshot(page)
})
