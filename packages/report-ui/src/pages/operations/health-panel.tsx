import { useHealth } from '../../data/resources.ts'
import { counted } from '../../format/numbers.ts'
import { Panel } from '../../parts/panel.tsx'
import { type Mood, StateMark } from '../../parts/state-mark.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { type Health, type Readiness, useReadiness } from './health-data.ts'

const moods: Readonly<Record<Readiness['checks']['feeds']['state'], Mood>> = {
  ok: 'ok',
  degraded: 'warn',
  failing: 'fail',
  unknown: 'quiet',
}

const checkNames = {
  database: 'Database',
  feeds: 'Feeds',
  models: 'Models',
  lag: 'Pipeline',
  payouts: 'Payouts',
} as const

/** What is degraded, since when, why, and what to do. */
export function HealthPanel() {
  const readiness = useReadiness()
  const health = useHealth()
  const stops = health.data.value?.standing_still ?? []
  return (
    <Panel title={titleOf(readiness.data.value)} resource={readiness}>
      {({ checks }) => (
        <>
          <dl class="checks">
            {Object.entries(checkNames).map(([key, name]) => {
              const { state, reasons } = checks[key as keyof typeof checkNames]
              return (
                <div key={key}>
                  <dt>{name}</dt>
                  <dd>
                    <StateMark mood={moods[state]} word={state} />
                    {/* What stands still has its own rows below, with the cause. */}
                    {key === 'lag' && stops.length > 0 ? null : <Reasons of={reasons} />}
                  </dd>
                </div>
              )
            })}
          </dl>
          {stops.length === 0 ? null : <Stops of={stops} />}
          {health.data.value === undefined ? null : <HealthFoot of={health.data.value} />}
        </>
      )}
    </Panel>
  )
}

function titleOf(readiness: Readiness | undefined): string {
  if (readiness === undefined) return 'Is the competition running?'
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

function Stops({ of }: { readonly of: Health['standing_still'] }) {
  return (
    <ul class="stops">
      {of.map(({ stage, what, since, held_up_by, fix }) => (
        <li key={`${stage} ${what}`}>
          <p>
            <StateMark mood="fail" word={stage} /> {what}, since <Instant at={since} /> (<Time at={since} />)
          </p>
          <dl class="pairs">
            <dt>Cause</dt>
            <dd class="lines">{held_up_by}</dd>
            <dt>What to do</dt>
            <dd class="lines">{fix}</dd>
          </dl>
        </li>
      ))}
    </ul>
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
