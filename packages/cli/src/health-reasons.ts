import { printable } from '@crunch/local-processes'

/** Why `/healthz` is not ok, one line each: feeds that are not up with their newest reason, and whatever stands still. */
export function healthReasons({ reasons }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(reasons) ? reasons.map((reason) => printable(String(reason))) : []
}

/** What stands still by `/healthz`, and why, one line each: unlike a feed that has ended, it never ends by itself. */
export function stoppages({ standing_still }: Readonly<Record<string, unknown>>): readonly string[] {
  if (!Array.isArray(standing_still)) return []
  return standing_still.map(({ what, held_up_by, fix }) => printable(`${what}; cause: ${held_up_by}; fix: ${fix}`))
}
