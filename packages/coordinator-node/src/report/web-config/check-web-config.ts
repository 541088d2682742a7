import { z } from 'zod'
import { issueText } from '../../domain/json/issue-text.ts'
import { nearestName } from '../../domain/nearest-name.ts'
import type { RouteDefinition } from '../http/define-route.ts'
import type { ReportContract } from '../report-context.ts'
import { allRoutes } from '../routes/all-routes.ts'
import { leaderboardRow } from '../routes/leaderboard/leaderboard-schema.ts'
import { columnSchema, widgetSchema } from '../routes/schema/web-schema.ts'
import { windowKey } from '../rows/row-fields.ts'
import type { WebConfigFile } from './web-config.ts'

export interface WebConfigProblem {
  /** Such as `3.property`; empty: the whole file. */
  readonly key: string
  readonly cause: string
  readonly fix: string
}

const columns = z.array(columnSchema.extend({ nativeConfiguration: z.looseObject({ type: z.string() }).nullable() }))

/** The widgets that are not line charts have configurations of their own, which only the page knows. */
const widget = z.discriminatedUnion('type', [
  widgetSchema.extend({
    nativeConfiguration: z.union([
      widgetSchema.shape.nativeConfiguration,
      z.looseObject({ type: z.enum(['gauge', 'matrix']) }),
    ]),
    tooltip: z.string().nullish(),
  }),
  z.looseObject({ id: z.number().int(), type: z.literal('IFRAME'), displayName: z.string(), endpointUrl: z.string() }),
])

const settings = z.object({
  endpoints: z.object({ leaderboard: z.string(), models: z.string() }),
  logs: z.object({ containerNames: z.array(z.string().min(1)).min(1) }),
})

const lists = new Map(
  allRoutes.flatMap(({ definition }) => (isRows(definition) ? [[definition.path as string, definition] as const] : [])),
)

/** Where a file no longer fits the contract: it names a column, a field or a route that does not exist. */
export function checkWebConfig(file: WebConfigFile, content: unknown, contract: ReportContract): WebConfigProblem[] {
  if (file === 'leaderboard-columns.json') return checkParsed(columns, content, (all) => checkColumns(all, contract))
  if (file === 'metrics-widgets.json')
    return checkParsed(z.array(widget), content, (all) => checkWidgets(all, contract))
  return checkParsed(settings, content, ({ endpoints }) =>
    Object.entries(endpoints).flatMap(([name, path]) => checkPath(`endpoints.${name}`, path)),
  )
}

function checkParsed<Value>(
  schema: z.ZodType<Value>,
  content: unknown,
  check: (value: Value) => WebConfigProblem[],
): WebConfigProblem[] {
  const { data, error } = schema.safeParse(content)
  if (error === undefined) return check(data)
  return error.issues.map((issue) => ({
    key: issue.path.join('.'),
    cause: issueText({ ...issue, path: [] }, undefined, 'it'),
    fix: 'correct the value',
  }))
}

function checkColumns(all: z.output<typeof columns>, contract: ReportContract): WebConfigProblem[] {
  const known = fieldsOf(leaderboardRow, contract)
  const models = all.filter(({ type }) => type === 'PROJECT')
  const [, second] = models
  return [
    ...repeatedIds(all),
    ...(models.length === 0 ? [problem('', 'no column shows the model', 'add one with the type PROJECT')] : []),
    ...(second === undefined
      ? []
      : [problem(`${all.indexOf(second)}.type`, 'two columns show the model', 'delete one')]),
    ...all.flatMap(({ property }, index) => checkField(`${index}.property`, property, known, 'the leaderboard')),
  ]
}

function checkWidgets(all: z.output<typeof widget>[], contract: ReportContract): WebConfigProblem[] {
  const charts = all.flatMap((one, index) => (one.type === 'IFRAME' ? [] : checkChart(one, index, contract)))
  return [...repeatedIds(all), ...charts]
}

type Chart = Extract<z.output<typeof widget>, { type: 'CHART' }>

function checkChart({ endpointUrl, nativeConfiguration }: Chart, index: number, contract: ReportContract) {
  const wrong = checkPath(`${index}.endpointUrl`, endpointUrl)
  const route = lists.get(pathOf(endpointUrl))
  const line = widgetSchema.shape.nativeConfiguration.safeParse(nativeConfiguration).data
  if (wrong.length > 0 || route === undefined || line === undefined) return wrong
  const known = fieldsOf(route.answer.element as z.ZodObject, contract)
  const { xAxis, yAxis, groupByProperty, alertConfig, filterConfig = [] } = line
  const named: readonly (readonly [string, string | undefined])[] = [
    ['xAxis.name', xAxis.name],
    ...yAxis.series.map(({ name }, at) => [`yAxis.series.${at}.name`, name] as const),
    ['groupByProperty', groupByProperty],
    ['alertConfig.field', alertConfig?.field],
    ['alertConfig.reasonField', alertConfig?.reasonField],
    ...filterConfig.map(({ property }, at) => [`filterConfig.${at}.property`, property] as const),
  ]
  return named.flatMap(([key, name]) =>
    name === undefined ? [] : checkField(`${index}.nativeConfiguration.${key}`, name, known, endpointUrl),
  )
}

/** A second one with the same id takes the place of the first. */
function repeatedIds(all: readonly { readonly id: number }[]): WebConfigProblem[] {
  const ids = all.map(({ id }) => id)
  return ids.flatMap((id, index) =>
    ids.indexOf(id) === index
      ? []
      : [problem(`${index}.id`, `${id} is taken by entry ${ids.indexOf(id)}`, 'give it another id')],
  )
}

function checkPath(key: string, url: string): WebConfigProblem[] {
  const known = [...lists.keys()]
  // A page may show charts of other services, and routes of the organizer.
  if (known.includes(pathOf(url)) || !url.startsWith('/') || url.startsWith('/custom/')) return []
  return [problem(key, `there is no list at ${url}`, suggestion(pathOf(url), known))]
}

function checkField(key: string, name: string, known: readonly string[], rows: string): WebConfigProblem[] {
  if (known.includes(name)) return []
  return [problem(key, `rows of ${rows} have no field "${name}"`, `${suggestion(name, known)}, or delete the entry`)]
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? `use one of ${known.join(', ')}` : `write "${nearest}"`
}

/** The fields of a route's rows: fixed ones, and those of the contract. */
function fieldsOf(row: z.ZodObject, contract: ReportContract): string[] {
  const { windows, metrics, scoreFields, value } = contract
  const own = row.def.catchall === undefined ? [] : [...windows.map(windowKey), ...metrics, ...scoreFields, value]
  return [...new Set([...Object.keys(row.shape), ...own])]
}

function isRows(definition: RouteDefinition): definition is RouteDefinition & { readonly answer: z.ZodArray } {
  const { method, path, answer } = definition
  return (
    method === 'get' && !path.includes('{') && answer instanceof z.ZodArray && answer.element instanceof z.ZodObject
  )
}

const pathOf = (url: string) => url.split('?')[0] as string

function problem(key: string, cause: string, fix: string): WebConfigProblem {
  return { key, cause, fix }
}
