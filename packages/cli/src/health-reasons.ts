import { printable } from '@crunch/local-processes'

/** Why `/healthz` is not ok, one line each: feeds that are not up, with their newest reason, and stages that stand still. */
export function healthReasons({ reasons }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(reasons) ? reasons.map((reason) => printable(String(reason))) : []
}

/** Stages that stand still according to `/healthz`, one line each. Unlike the end of a feed, a standstill needs a fix. */
export function stoppages({ standing_still }: Readonly<Record<string, unknown>>): readonly string[] {
  if (!Array.isArray(standing_still)) return []
  return standing_still.map(({ what, held_up_by, fix }) => printable(`${what}; cause: ${held_up_by}; fix: ${fix}`))
}
