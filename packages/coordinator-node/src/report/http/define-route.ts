import type { z } from 'zod'
import type { Tier } from '../access/tiers.ts'

export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 414 | 422 | 429 | 431 | 500 | 503

/** One definition of a route: what checks its requests, documents it, and types its handler and its clients. */
export interface RouteDefinition {
  readonly method: 'get' | 'post' | 'patch'
  /** With parameters in braces: `/reports/models/{model_id}/diversity`. */
  readonly path: `/${string}`
  /** The group in the reference. */
  readonly tag: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  readonly tier: Tier
  /**
   * Parameters without a meaning that are accepted. charts: those that the charts of the web application send to every route.
   * any: all. Default: none, so that no typo changes the answer unnoticed.
   */
  readonly extra?: 'charts' | 'any'
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  readonly answer: z.ZodType
  readonly status?: 200 | 201
  /** Default: `application/json`. */
  readonly mediaType?: string
  /** Other JSON answers that are not problems, by status. */
  readonly otherAnswers?: Readonly<Record<number, z.ZodType>>
  /** Besides 422, 500 and 503, which every route can answer. */
  readonly errors?: readonly ErrorStatus[]
  /** A path with parameters, or a body, that the worked example of the reference and its test use. */
  readonly example: { readonly path: string; readonly body?: Readonly<Record<string, unknown>> }
}

export function defineRoute<const Definition extends RouteDefinition>(definition: Definition): Definition {
  return definition
}

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : Readonly<Record<string, never>>
type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : Readonly<Record<string, never>>

/** The parsed parameters and body of a request. */
export interface RouteInput<Definition extends RouteDefinition> {
  readonly params: OutputOf<Definition['params']>
  readonly query: OutputOf<Definition['query']>
  readonly body: OutputOf<Definition['body']>
}

/** What a client sends. */
export interface RouteCall<Definition extends RouteDefinition> {
  readonly params: InputOf<Definition['params']>
  readonly query: InputOf<Definition['query']>
  readonly body: InputOf<Definition['body']>
}

export type RouteAnswer<Definition extends RouteDefinition> = z.input<Definition['answer']>
