import { Link } from 'wouter-preact'
import { competitionNow } from '../../data/competition-time.ts'
import { percent } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { msOf } from '../../format/times.ts'
import { Countdown } from '../../parts/time.tsx'
import { emissionRule, floorRule, type Rules, span } from './rule-text.ts'

/** Who is paid and how much, and what is never counted against a model. */
export function PayRules({ of: { pay, pay_period, ranking } }: { readonly of: Rules }) {
  const floor = floorRule(pay.floor)
  return (
    <div class="pairs-of-panels">
      <section class="panel" aria-label="Pay">
        <h2>What is paid</h2>
        <p>
          A payout closes every {span(pay.every)} and ranks the models by their value over exactly that period. The
          running one is {periodText(pay_period.start, pay_period.end)}
          {msOf(pay_period.end) > competitionNow.value ? (
            <>
              {' '}
              and ends in <Countdown to={pay_period.end} />
            </>
          ) : null}
          . <Link href="/checkpoints">What would be paid now</Link>
        </p>
        <p>{emissionRule(pay.emission, ranking.direction)}</p>
        <p>A model is paid if</p>
        <ul class="bullets">
          <li>it belongs to a participant and takes part at the end of the period;</li>
          <li>
            it answered{' '}
            {pay.min_coverage === 0
              ? 'at least one round of the period validly'
              : `at least ${percent(pay.min_coverage)} of the period's rounds validly`}
            ;
          </li>
          {floor === null ? null : <li>{floor};</li>}
          <li>its place has a share. Models with equal values divide the shares of their places.</li>
        </ul>
      </section>
      <section class="panel" aria-label="Fairness">
        <h2>What holds for everyone</h2>
        <ul class="bullets">
          <li>All models are asked at once, with the same data, and wait for no other.</li>
          <li>An answer that is missing because of the node counts neither for nor against a model.</li>
          <li>Each failure shows its reason and who caused it; its trace shows how that is known.</li>
          <li>Records are final: a later correction of the data changes no score.</li>
          <li>Only models that can be paid take a place in a payout. Its shares add up to exactly 100 %.</li>
        </ul>
      </section>
    </div>
  )
}
