import { counted } from '../../format/numbers.ts'
import { instant, msOf, zoneName } from '../../format/times.ts'
import { emissionReasons, wordOf } from '../../format/words.ts'
import type { Checkpoint } from './checkpoint-data.ts'

/** What is unusual about a payout: it is empty, results behind it were refused, or a winner cannot be paid yet. */
export function PayoutNotes({ of: { meta } }: { readonly of: Checkpoint }) {
  const { emission_reason, registry_problem, refusals } = meta
  const unmapped = unmappedOf(meta)
  const isUsual = emission_reason === null && registry_problem === null && refusals.length === 0
  if (isUsual && unmapped.length === 0) return null
  return (
    <section class="panel notes" aria-label="Notes">
      {emission_reason === null ? null : <p>{wordOf(emissionReasons, emission_reason)}</p>}
      {refusals.length === 0 ? null : <Refusals of={meta} />}
      {registry_problem === null ? null : <p>▲ The payout waits: {registry_problem}.</p>}
      {unmapped.length === 0 ? null : (
        <div>
          <p>
            ▲ {counted(unmapped.length, 'winner')} without a wallet in the registry of crunchers. The payout waits until
            the organizer has added {unmapped.length === 1 ? 'it' : 'them'}.
          </p>
          <ul class="bullets">
            {unmapped.map(({ model_id, model_name, cruncher_name, cruncher_id }) => (
              <li key={model_id}>
                {model_name ?? model_id}, model of {cruncher_name ?? 'an unknown cruncher'}
                {cruncher_id === null ? '' : ` (${cruncher_id})`}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}

/** Paid models without a wallet, as far as that is known. */
function unmappedOf({ ranking, unmapped_model_ids, registry_problem }: Checkpoint['meta']) {
  return registry_problem === null ? ranking.filter(({ model_id }) => unmapped_model_ids.includes(model_id)) : []
}

function Refusals({ of: { refusals, acknowledged_by, acknowledged_at } }: { readonly of: Checkpoint['meta'] }) {
  return (
    <div>
      <p>
        {acknowledged_by === null ? '▲ ' : ''}The contract refused results of this period.{' '}
        {acknowledged_by === null || acknowledged_at === null
          ? 'The payout waits until the organizer accepts that.'
          : `${acknowledged_by} accepted that at ${instant(msOf(acknowledged_at))} ${zoneName()}.`}
      </p>
      <ul class="bullets">
        {refusals.map(({ what, count, of, reason }) => (
          <li key={what}>
            {count}
            {of === null ? '' : ` of ${of}`} {what}; first: {reason}
          </li>
        ))}
      </ul>
    </div>
  )
}
