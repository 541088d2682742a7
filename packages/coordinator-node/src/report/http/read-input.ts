import { z } from 'zod'
import { CrunchError } from '../../domain/errors.ts'
import { nearestName } from '../../domain/nearest-name.ts'
import { checkCursor } from './cursor.ts'
import { cutText } from './cut-text.ts'
import type { RouteDefinition, RouteInput } from './define-route.ts'
import { isList } from './formats.ts'
import type { ReportRequest } from './serve-route.ts'

/** Parameters that the charts of the web application send to every route. */
const chartParameters = ['projectIds', 'start', 'end', 'include_ensembles']

/** Parses a request by its route's definition. Throws a `ZodError`, which is answered with 422, or `BAD_REQUEST`. */
export async function readInput<Definition extends RouteDefinition>(
  context: ReportRequest,
  definition: Definition,
): Promise<RouteInput<Definition>> {
  const params = definition.params?.parse(context.req.param()) ?? {}
  const query = readQuery(context, definition)
  const body = definition.body === undefined ? {} : definition.body.parse(await readBody(context))
  return { params, query, body } as RouteInput<Definition>
}

/** Unknown parameters that an error names: comparing a thousand of them with the known ones would hold up all other requests. */
const maxShown = 20

/** The last of a repeated parameter counts. */
function readQuery(context: ReportRequest, definition: RouteDefinition): unknown {
  const { query, extra } = definition
  const common = [...(extra === 'charts' ? chartParameters : []), ...(isList(definition) ? ['format'] : [])]
  const names = [...new Set([...Object.keys(query?.shape ?? {}), ...common])]
  const all = context.req.queries()
  if (extra !== 'any') refuseUnknown(context.req.path, Object.keys(all), names)
  if (query === undefined) return {}
  if ('cursor' in query.shape) checkCursor(all.cursor?.at(-1), context.req.path)
  const last = Object.entries(all).map(([key, values]) => [key, values.at(-1)])
  const lists = 'projectIds' in query.shape ? { projectIds: all.projectIds ?? [] } : {}
  return query.parse({ ...Object.fromEntries(last), ...lists })
}

function refuseUnknown(path: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new z.ZodRealError(
    unknown.slice(0, maxShown).map((name) => {
      const nearest = nearestName(name, known)
      const all = known.length === 0 ? 'it takes no parameters' : `the parameters are ${known.join(', ')}`
      const fix = nearest === undefined ? all : `did you mean ${nearest}?`
      return { code: 'custom', path: [cutText(name)], message: `is not a parameter of ${path}; ${fix}`, input: name }
    }),
  )
}

async function readBody(context: ReportRequest): Promise<unknown> {
  const text = await context.req.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = text === '' ? 'it is empty' : error instanceof Error ? error.message : String(error)
    throw new CrunchError('BAD_REQUEST', `the body must be a JSON object: ${reason}`)
  }
}
