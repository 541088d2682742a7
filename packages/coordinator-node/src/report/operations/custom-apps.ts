import type { Hono } from 'hono'

/** Routes of the organizer, and the variables of their requests. */
export interface CustomApps {
  readonly apps: readonly Hono[]
  readonly variables: Readonly<Record<string, unknown>>
}
