import { competitionNow } from '../data/competition-time.ts'
import { ago, countdown, instant, msOf, zoneName } from '../format/times.ts'

/** A time of the API as its distance from the competition's time, with the instant in the title. */
export function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="quiet">–</span>
  const ms = msOf(at)
  return (
    <time dateTime={at} title={`${instant(ms)} ${zoneName()}`}>
      {ago(competitionNow.value - ms)}
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
