import type { OpenAPIHono } from '@hono/zod-openapi'
import { nearestName } from '../../domain/nearest-name.ts'
import type { RequestVariables } from '../access/viewer.ts'
import type { ReportContext } from '../report-context.ts'
import { createAnswerCache } from './answer-cache.ts'
import { cutText } from './cut-text.ts'
import type { RouteDefinition } from './define-route.ts'
import { formatOf, renderAnswer } from './formats.ts'
import { operationOf } from './operation.ts'
import { problem } from './problem.ts'
import { readInput } from './read-input.ts'
import { renderedAnswer, sendAnswer } from './send-answer.ts'
import type { ReportRequest, ServedRoute } from './serve-route.ts'

export type ReportApp = OpenAPIHono<{ Variables: RequestVariables }>

/** Serves the routes, documents them, and answers every other path and method with what exists. */
export function mountRoutes(app: ReportApp, routes: readonly ServedRoute[], report: ReportContext): void {
  const inOrder = [...routes].sort((one, other) => compareRoutes(one.definition, other.definition))
  for (const route of inOrder) {
    const { definition } = route
    app.openAPIRegistry.registerPath(operationOf(definition))
    app.on(definition.method.toUpperCase(), honoPath(definition.path), answering(route, report))
  }
  for (const path of new Set(inOrder.map(({ definition }) => definition.path))) {
    const methods = inOrder.filter(({ definition }) => definition.path === path).map((one) => one.definition.method)
    const allow = methods.map((method) => method.toUpperCase()).join(', ')
    app.all(honoPath(path), (context) => {
      context.header('allow', allow)
      return problem(context, 405, `${context.req.path} takes ${allow}, not ${context.req.method}.`)
    })
  }
  const paths = [...new Set(inOrder.map(({ definition }) => definition.path))]
  app.notFound((context) => notFound(context, paths))
}

/** Answers the requests of one route. */
function answering({ definition, open, version }: ServedRoute, report: ReportContext) {
  const handle = open(report) as (input: unknown) => Promise<unknown>
  const versionOf = version?.(report) as ((input: unknown) => Promise<string>) | undefined
  const cache = createAnswerCache()
  return async (context: ReportRequest): Promise<Response> => {
    const input = await readInput(context, definition)
    const format = formatOf(context, definition)
    const ask = () => handle({ ...input, viewer: context.get('viewer'), context })
    const render = (answer: unknown) => renderedAnswer(renderAnswer(answer, format, definition))
    if (versionOf !== undefined) {
      const key = `${format} ${await versionOf(input)}`
      return sendAnswer(context, definition, await cache.get(key, async () => render(await ask())))
    }
    const answer = await ask()
    return answer instanceof Response ? answer : sendAnswer(context, definition, render(answer))
  }
}

function notFound(context: ReportRequest, paths: readonly string[]): Response {
  const { method, path } = context.req
  const nearest = nearestName(path, paths)
  const fix = nearest === undefined ? 'The paths are listed at /openapi.json.' : `Did you mean ${nearest}?`
  return problem(context, 404, `There is no ${method} ${cutText(path)}. ${fix}`)
}

/**
 * A fixed path comes before one with a parameter in the same place, which would take its name as a value: a brace sorts after
 * all letters.
 */
function compareRoutes({ path: one }: RouteDefinition, { path: other }: RouteDefinition): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}
