import { Link } from 'wouter-preact'
import { competitionNow } from '../data/competition-time.ts'
import { node } from '../data/node.ts'
import { useResource } from '../data/resource.ts'
import { useRules } from '../data/resources.ts'
import { msOf } from '../format/times.ts'
import { Countdown } from '../parts/time.tsx'

/** More open rounds than any strip needs: the next truth is among the oldest of them. */
const openCount = 200

/** What comes next: the truth of a round, the end of the period of pay. */
export function Upcoming() {
  const open = useResource(
    'open rounds',
    (signal) => node.get('/reports/rounds', { query: { state: 'open', limit: openCount }, signal }),
    { topics: ['rounds'], everyMs: 60_000 },
  ).data.value
  const period = useRules().data.value?.pay_period
  const next = (open ?? []).filter(({ resolvable_at }) => msOf(resolvable_at) > competitionNow.value).at(-1)
  return (
    <>
      {next === undefined ? null : (
        <Link class="strip-fact" href={`/rounds/${encodeURIComponent(next.id)}`}>
          <span class="quiet">next truth</span> <Countdown to={next.resolvable_at} />
        </Link>
      )}
      {period === undefined ? null : (
        <Link class="strip-fact" href="/checkpoints">
          <span class="quiet">pay period ends</span> <Countdown to={period.end} />
        </Link>
      )}
    </>
  )
}
