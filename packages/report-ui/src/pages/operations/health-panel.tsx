import { useHealth } from '../../data/resources.ts'
import { counted } from '../../format/numbers.ts'
import { wordOf } from '../../format/words.ts'
import { Panel } from '../../parts/panel.tsx'
import { type Mood, StateMark } from '../../parts/state-mark.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { type Health, type Readiness, useReadiness } from './health-data.ts'
import { type Operations, useOperations } from './operations-data.ts'

interface Problem {
  readonly stage: string
  readonly what: string
  readonly since: string | null
  readonly cause: string | null
  readonly fix: string | null
}

const moods: Readonly<Record<Readiness['checks']['feeds']['state'], Mood>> = {
  ok: 'ok',
  degraded: 'warn',
  failing: 'fail',
  unknown: 'quiet',
}

const checkNames: Readonly<Record<string, string>> = {
  database: 'Database',
  feeds: 'Feeds',
  models: 'Models',
  lag: 'Pipeline',
  payouts: 'Payouts',
}

/** What is degraded, since when, why, and what to do. */
export function HealthPanel() {
  const readiness = useReadiness()
  const health = useHealth()
  const problems = problemsOf(useOperations().data.value, health.data.value)
  return (
    <Panel title={readiness.failure.value === null ? titleOf(readiness.data.value) : unknownTitle} resource={readiness}>
      {({ checks }) => (
        <>
          <dl class="checks">
            {Object.entries(checks).map(([name, { state, reasons }]) => (
              <div key={name}>
                <dt>{wordOf(checkNames, name)}</dt>
                <dd>
                  <StateMark mood={moods[state]} word={state} />
                  {/* Those with a cause or a fix have their own rows below. */}
                  <Reasons of={reasons.filter((reason) => !problems.some(({ what }) => reason.startsWith(what)))} />
                </dd>
              </div>
            ))}
          </dl>
          {problems.length === 0 ? null : <Problems of={problems} />}
          {health.data.value === undefined ? null : <HealthFoot of={health.data.value} />}
        </>
      )}
    </Panel>
  )
}

/** Also while the node does not answer: what it said before is no answer to it. */
const unknownTitle = 'Is the competition running?'

function titleOf(readiness: Readiness | undefined): string {
  if (readiness === undefined) return unknownTitle
  const states = Object.values(readiness.checks).map(({ state }) => state)
  const bad = states.filter((state) => state === 'failing').length
  if (bad > 0) return `${counted(bad, 'part')} of the node ${bad === 1 ? 'fails' : 'fail'}`
  return states.every((state) => state === 'ok') ? 'Everything runs' : 'The competition runs, with faults'
}

function Reasons({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return null
  return (
    <ul class="bullets">
      {of.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  )
}

/** What is wrong, in the order of the pipeline; without the operations of the node, which need its database, as far as health knows. */
function problemsOf(operations: Operations | undefined, health: Health | undefined): readonly Problem[] {
  if (operations !== undefined) return operations.problems
  return (health?.standing_still ?? []).map(({ held_up_by, ...stop }) => ({ ...stop, cause: held_up_by }))
}

function Problems({ of }: { readonly of: readonly Problem[] }) {
  return (
    <ul class="stops">
      {of.map(({ stage, what, since, cause, fix }) => (
        <li key={`${stage} ${what}`}>
          <p>
            <StateMark mood="fail" word={stage} /> {what}
            {/* Some texts name the time themselves. */}
            {since === null || what.includes(' since ') ? null : (
              <>
                , since <Instant at={since} /> (<Time at={since} />)
              </>
            )}
          </p>
          <dl class="pairs">
            {cause === null ? null : <Pair name="Cause" text={cause} />}
            {fix === null ? null : <Pair name="What to do" text={fix} />}
          </dl>
        </li>
      ))}
    </ul>
  )
}

function Pair({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd class="lines">{text}</dd>
    </>
  )
}

function HealthFoot({ of: { version, predict_lease, notes } }: { readonly of: Health }) {
  return (
    <div class="small quiet">
      <p>
        Engine {version}.
        {predict_lease === undefined
          ? ' No predict worker has started yet.'
          : ` ${predict_lease.holder ?? 'No worker'} opens rounds.`}
      </p>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </div>
  )
}
