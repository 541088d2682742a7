import type { Context } from 'hono'
import type { RequestVariables, Viewer } from '../access/viewer.ts'
import type { ReportContext } from '../report-context.ts'
import type { RouteAnswer, RouteDefinition, RouteInput } from './define-route.ts'

export type ReportRequest = Context<{ Variables: RequestVariables }>

/** What a handler gets: the parsed request and who sent it. `context` is for answers that are not JSON. */
export interface HandlerInput<Definition extends RouteDefinition> extends RouteInput<Definition> {
  readonly viewer: Viewer
  readonly context: ReportRequest
}

/** A route with its handler. `open` is called once for each app, so that a handler can keep state between requests. */
export interface ServedRoute<Definition extends RouteDefinition = RouteDefinition> {
  readonly definition: Definition
  open(report: ReportContext): (input: never) => Promise<unknown>
  /** Opened like `open`. Answers with the same version are the same for all viewers, so they are rendered once. Absent: each is. */
  readonly version?: ((report: ReportContext) => (input: never) => Promise<string>) | undefined
}

/** Joins a definition with the function that answers it: with the rows as the schema describes them, or a whole response. */
export function serveRoute<Definition extends RouteDefinition>(
  definition: Definition,
  open: (report: ReportContext) => (input: HandlerInput<Definition>) => Promise<RouteAnswer<Definition> | Response>,
  version?: (report: ReportContext) => (input: Pick<HandlerInput<Definition>, 'params' | 'query'>) => Promise<string>,
): ServedRoute<Definition> {
  return { definition, open, version }
}
