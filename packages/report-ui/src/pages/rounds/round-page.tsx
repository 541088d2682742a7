import { Link } from 'wouter-preact'
import { seriesKey } from '../../data/records.ts'
import { counted, wholeNumber } from '../../format/numbers.ts'
import { msOf } from '../../format/times.ts'
import { Age } from '../../parts/age.tsx'
import { Json } from '../../parts/json.tsx'
import { Loaded } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Countdown, Instant, Time } from '../../parts/time.tsx'
import { TraceDrawer } from '../../parts/trace-drawer.tsx'
import { AnswersTable } from './answers-table.tsx'
import { questionOf, roundMoods } from './round-columns.tsx'
import { RoundSeries } from './round-series.tsx'
import { RoundStrip } from './round-strip.tsx'
import { type Round, stateOf, useRound } from './use-round.ts'
import './rounds.css'

/** One question: what was asked, what was answered, what came true, and what each answer scored. */
export default function RoundPage({ id }: { readonly id: string }) {
  const round = useRound(id)
  return (
    <>
      <p class="small">
        <Link href="/rounds">All rounds</Link>
      </p>
      <Loaded resource={round}>
        {(data) => (
          <>
            <div class="page-head">
              <div>
                <h1>{questionOf(data)}</h1>
                <p class="small">{data.id}</p>
              </div>
              <Age resource={round} />
            </div>
            <RoundFacts round={data} />
            <RoundStrip round={data} />
            <RoundSeries round={data} />
            <AnswersTable round={data} />
            <section class="panel" aria-label="The question">
              <h2>The question</h2>
              <Json value={data.input} label="What the models were given" />
              {data.truth === null ? null : <Json value={data.truth} label="The truth" />}
            </section>
          </>
        )}
      </Loaded>
      <TraceDrawer />
    </>
  )
}

function RoundFacts({ round }: { readonly round: Round }) {
  const state = stateOf(round)
  return (
    <section class="panel" aria-label="The round">
      <dl class="facts">
        <div>
          <dt>State</dt>
          <dd>
            <StateMark mood={roundMoods[state]} word={state} />
          </dd>
        </div>
        <div>
          <dt>Asked</dt>
          <dd>
            <Time at={round.performed_at} />
          </dd>
          <dd class="small">
            <Instant at={round.performed_at} />
          </dd>
        </div>
        <div>
          <dt>{state === 'open' ? 'Truth in' : 'Truth of'}</dt>
          <dd>{state === 'open' ? <Countdown to={round.resolvable_at} /> : <Time at={round.resolvable_at} />}</dd>
          <dd class="small">
            <Instant at={round.resolvable_at} />
          </dd>
        </div>
        <AnsweredFact round={round} />
        <div>
          <dt>Series</dt>
          <dd>
            <Link href={`/feeds?feed=${encodeURIComponent(seriesKey(round))}`}>
              {round.subject} {round.granularity}
            </Link>
          </dd>
          <dd class="small">
            {round.kind} of {round.source}
          </dd>
        </div>
      </dl>
      <RoundNotes round={round} />
    </section>
  )
}

function AnsweredFact({ round }: { readonly round: Round }) {
  const { predictions, answered_at, performed_at } = round
  const valid = predictions.filter(({ output, hidden_until }) => output !== null || hidden_until !== null).length
  return (
    <div>
      <dt>Answers</dt>
      <dd>
        {valid} <span class="small">of {counted(predictions.length, 'model')}</span>
      </dd>
      <dd class="small">
        {answered_at === null
          ? 'the models are answering'
          : `stored ${wholeNumber(msOf(answered_at) - msOf(performed_at))} ms after the question`}
      </dd>
    </div>
  )
}

/** What a reader has to know to judge the round. */
function RoundNotes({ round }: { readonly round: Round }) {
  const state = stateOf(round)
  return (
    <>
      {state === 'void' ? (
        <p class="warn">The truth stayed unknown, so the round counts for no model: {round.void_reason}</p>
      ) : null}
      {state === 'open' ? (
        <p class="quiet">
          The round is void if its truth is not known by <Instant at={round.expires_at} />.
        </p>
      ) : null}
      {round.missed_before === 0 ? null : (
        <p class="warn">The node missed {counted(round.missed_before, 'round')} of this schedule just before.</p>
      )}
    </>
  )
}
