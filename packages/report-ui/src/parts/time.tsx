import { competitionNow, isAtWallTime, wallNow } from '../data/competition-time.ts'
import { ago, clockOf, countdown, instant, msOf, zoneName } from '../format/times.ts'

/** A time of the API as its distance from now, by the clock that it belongs to, with the instant in the title. */
export function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="quiet">–</span>
  const ms = msOf(at)
  const now = isAtWallTime.value ? competitionNow.value : clockOf(ms, competitionNow.value, wallNow.value)
  return (
    <time dateTime={at} title={`${instant(ms)} ${zoneName()}`}>
      {ago(now - ms)}
    </time>
  )
}

/** A time of the API as it is on the clock. */
export function Instant({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="quiet">–</span>
  return <time dateTime={at}>{instant(msOf(at))}</time>
}

/** The time left until an instant. */
export function Countdown({ to }: { readonly to: string }) {
  const ms = msOf(to)
  const left = ms - competitionNow.value
  return (
    <time dateTime={to} title={`${instant(ms)} ${zoneName()}`}>
      {left <= 0 ? 'due' : countdown(left)}
    </time>
  )
}
