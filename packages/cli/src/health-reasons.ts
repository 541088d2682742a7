import { printable } from '@crunch/local-processes'

/** Why `/healthz` is not ok, one line each: feeds that are not up with their newest reason, and whatever stands still. */
export function healthReasons({ reasons }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(reasons) ? reasons.map((reason) => printable(String(reason))) : []
}
