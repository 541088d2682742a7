import { printable } from '@crunch/local-processes'

/** What `/healthz` says stands still, one line each: what, since when, what holds it up, and the fix. */
export function standingStill(health: Readonly<Record<string, unknown>>): readonly string[] {
  return rowsOf(health.standing_still).map(({ what, since, held_up_by, fix }) =>
    printable(`${what}, since ${since}; cause: ${held_up_by}; fix: ${fix}`),
  )
}

function rowsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((row) => typeof row === 'object' && row !== null) : []
}
