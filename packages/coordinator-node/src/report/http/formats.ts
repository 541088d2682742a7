import { z } from 'zod'
import { csvText, csvValue } from '../../domain/json/csv-cell.ts'
import { jsonText } from '../../domain/json/json-text.ts'
import type { RouteDefinition } from './define-route.ts'
import type { AnswerText } from './send-answer.ts'
import type { ReportRequest } from './serve-route.ts'

/** The media types of lists, by the value of `format`. */
export const listTypes = { json: 'application/json', csv: 'text/csv', ndjson: 'application/x-ndjson' } as const
export type Format = keyof typeof listTypes

const formats = Object.keys(listTypes) as Format[]

export const formatField = z
  .enum(['json', 'csv', 'ndjson'], `must be one of ${formats.join(', ')}`)
  .optional()
  .meta({ description: 'The form of the rows. It takes precedence over the header `Accept`.' })

/** Whether a route answers with rows, which have other forms than JSON. */
export function isList({ answer, mediaType }: Pick<RouteDefinition, 'answer' | 'mediaType'>): boolean {
  return answer instanceof z.ZodArray && mediaType === undefined
}

/** What the client wants. JSON for one that names no form that we have: old clients accept `text/html`. Throws a `ZodError`. */
export function formatOf(context: ReportRequest, definition: RouteDefinition): Format {
  if (!isList(definition)) return 'json'
  const { format } = z.object({ format: formatField }).parse({ format: context.req.query('format') })
  return format ?? acceptedFormat(context.req.header('accept') ?? '')
}

function acceptedFormat(accept: string): Format {
  let best: { readonly format: Format; readonly weight: number } = { format: 'json', weight: 0 }
  for (const part of accept.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const format = formats.find((one) => listTypes[one] === name)
    const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1)
    if (format !== undefined && weight > best.weight) best = { format, weight }
  }
  return best.format
}

/** An answer of a route in a form. Throws for a value that JSON cannot represent. */
export function renderAnswer(answer: unknown, format: Format, definition: Pick<RouteDefinition, 'answer'>): AnswerText {
  const type = `${listTypes[format]}; charset=utf-8`
  if (format === 'json') return { text: jsonText(answer), type }
  const rows = answer as readonly Readonly<Record<string, unknown>>[]
  if (format === 'ndjson') return { text: rows.map((row) => `${jsonText(row)}\n`).join(''), type }
  return { text: csvOf(rows, columnsOf(definition)), type }
}

/** The columns that every row has. */
function columnsOf({ answer }: Pick<RouteDefinition, 'answer'>): readonly string[] {
  const row = answer instanceof z.ZodArray ? answer.element : null
  return row instanceof z.ZodObject ? Object.keys(row.shape) : []
}

/** RFC 4180, with a header. Columns that only some rows have come last; a nested value is JSON. */
function csvOf(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): string {
  const all = [...new Set([...columns, ...rows.flatMap((row) => Object.keys(row))])]
  const lines = rows.map((row) => all.map((name) => cell(Object.hasOwn(row, name) ? row[name] : null)))
  return [all.map(csvText), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? csvText(value) : csvValue(jsonText(value))
}
