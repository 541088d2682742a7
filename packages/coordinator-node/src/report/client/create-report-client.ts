import type { RouteAnswer, RouteCall, RouteDefinition } from '../http/define-route.ts'
import type { AnyRoute as Definition } from '../routes/all-routes.ts'

type Method = Definition['method']
type PathOf<Of extends Method> = Extract<Definition, { method: Of }>['path']
type At<Of extends Method, Path> = Extract<Definition, { method: Of; path: Path }>

/** Values of a query are written as text; a list becomes one parameter for each item. */
type QueryValue = string | number | boolean | readonly string[] | undefined
type QueryOf<Of> = Of extends RouteDefinition ? { readonly [Name in keyof RouteCall<Of>['query']]?: QueryValue } : never

type Part<Name extends string, Of, Value> = Name extends keyof Of ? { readonly [Key in Name]: Value } : unknown

/** What a call of a route takes: `params` and `body` only where the route has them. */
export type CallOf<Of> = Of extends RouteDefinition
  ? { readonly query?: QueryOf<Of>; readonly signal?: AbortSignal } & Part<'params', Of, RouteCall<Of>['params']> &
      Part<'body', Of, RouteCall<Of>['body']>
  : never

type Arguments<Of> = Of extends { params: unknown } | { body: unknown } ? [call: CallOf<Of>] : [call?: CallOf<Of>]

/** What a route answers. */
export type AnswerOf<Of extends Method, Path extends PathOf<Of>> =
  At<Of, Path> extends infer Found extends RouteDefinition ? RouteAnswer<Found> : never

/** A client of one node. */
export interface ReportClient {
  /** Without a slash at its end. */
  readonly url: string
  /** The answer of a route, by its path as the reference writes it: `get('/reports/leaderboard', { query: { until } })`. */
  get<Path extends PathOf<'get'>>(path: Path, ...call: Arguments<At<'get', Path>>): Promise<AnswerOf<'get', Path>>
  /** A page of a list that has pages, and the `cursor` of the next one; `null` after the last. */
  page<Path extends PathOf<'get'>>(
    path: Path,
    ...call: Arguments<At<'get', Path>>
  ): Promise<{ readonly rows: AnswerOf<'get', Path>; readonly next: string | null }>
  /** The answer to a change, which needs a key of the organizer on a node with keys. */
  post<Path extends PathOf<'post'>>(path: Path, ...call: Arguments<At<'post', Path>>): Promise<AnswerOf<'post', Path>>
  /** As `post`. */
  patch<Path extends PathOf<'patch'>>(
    path: Path,
    ...call: Arguments<At<'patch', Path>>
  ): Promise<AnswerOf<'patch', Path>>
}

/** Options of {@link createReportClient}. */
export interface ReportClientOptions {
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces the global `fetch`, e.g. to limit the time of a request. */
  readonly fetch?: typeof fetch
}

/** The node refused a request or could not answer it. */
export class ReportError extends Error {
  override readonly name = 'ReportError'
  /** The HTTP status. */
  readonly status: number
  /** One for each invalid parameter or field. */
  readonly fieldErrors: readonly { readonly property: string; readonly message: string }[]
  /** The body of the answer, if it is JSON. */
  readonly body: unknown
  /** Names the request in the log of the node. */
  readonly requestId: string | undefined

  constructor(status: number, body: unknown) {
    const { message, fieldErrors, request_id } = (typeof body === 'object' && body !== null ? body : {}) as Problem
    super(`${status}: ${message ?? 'the answer is no problem of a report API'}`)
    this.status = status
    this.body = body
    this.fieldErrors = fieldErrors ?? []
    this.requestId = request_id
  }
}

interface Problem {
  readonly message?: string
  readonly fieldErrors?: ReportError['fieldErrors']
  readonly request_id?: string
}

interface AnyCall {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/**
 * A client of a node's report API, typed by the definitions of its routes. Rejects with `ReportError` for every status but 2xx.
 * @example const rows = await createReportClient('http://127.0.0.1:8000').get('/reports/leaderboard')
 */
export function createReportClient(baseUrl: string, options: ReportClientOptions = {}): ReportClient {
  const url = baseUrl.replace(/\/+$/, '')
  const send = options.fetch ?? fetch
  async function request(method: string, path: string, { params, query, body, signal }: AnyCall = {}) {
    const response = await send(`${url}${routePath(path, params)}${queryText(query)}`, {
      method,
      headers: { ...options.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const answer = await readJson(response)
    if (!response.ok) throw new ReportError(response.status, answer)
    return { answer, headers: response.headers }
  }
  const call = async (...args: Parameters<typeof request>) => (await request(...args)).answer
  return {
    url,
    get: (path: string, given?: AnyCall) => call('GET', path, given),
    async page(path: string, given?: AnyCall) {
      const { answer, headers } = await request('GET', path, given)
      return { rows: answer, next: nextCursor(headers) }
    },
    post: (path: string, given?: AnyCall) => call('POST', path, given),
    patch: (path: string, given?: AnyCall) => call('PATCH', path, given),
  } as ReportClient
}

function nextCursor(headers: Headers): string | null {
  const query = /<\?([^>]*)>;\s*rel="next"/.exec(headers.get('link') ?? '')?.[1]
  return query === undefined ? null : new URLSearchParams(query).get('cursor')
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!response.ok) return undefined
    throw new TypeError('the response is not JSON: another program listens there', { cause: error })
  }
}

function routePath(path: string, params: AnyCall['params'] = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
}

function queryText(query: AnyCall['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const values = value === undefined ? [] : Array.isArray(value) ? value : [value]
    return values.map((one): [string, string] => [name, String(one)])
  })
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}
