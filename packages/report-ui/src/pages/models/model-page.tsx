import { Link } from 'wouter-preact'
import { accessKey, node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useActivity } from '../../data/resources.ts'
import { Loaded } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Time } from '../../parts/time.tsx'
import { TraceDrawer } from '../../parts/trace-drawer.tsx'
import { ModelHistory } from './model-history.tsx'
import { ModelOutcomes } from './model-outcomes.tsx'
import { ModelPayouts } from './model-payouts.tsx'
import { ModelRounds } from './model-rounds.tsx'
import { modelState } from './models-page.tsx'
import { OwnerPanels } from './owner-panels.tsx'

/** Everything about one model; with its owner's key also what others must not see. */
export default function ModelPage({ id }: { readonly id: string }) {
  const model = useResource(
    `model ${id}`,
    (signal) => node.get('/reports/models/{model_id}', { params: { model_id: id }, signal }),
    { topics: ['models'] },
  )
  const activity = useActivity().data.value?.find((row) => row.model_id === id)
  return (
    <Loaded resource={model}>
      {(row) => (
        <>
          <div class="page-head">
            <div>
              <h1 class="name">{row.model_name}</h1>
              <p>
                {row.role === 'participant' ? `Model of ${row.cruncher_name}` : `A ${row.role} of the organizer`},
                joined <Time at={row.registered_at} />
                {row.retired_at === null ? null : (
                  <>
                    , retired <Time at={row.retired_at} />
                    {row.retirement_reason === null ? '' : `: ${row.retirement_reason}`}
                  </>
                )}
              </p>
            </div>
            <div class="row">
              <StateMark {...modelState(row, activity)} />
              <Link href={`/?pins=${encodeURIComponent(id)}`}>Pin on the leaderboard</Link>
            </div>
          </div>
          <ModelHistory id={id} name={row.model_name} />
          <ModelOutcomes id={id} />
          <ModelRounds id={id} />
          <ModelPayouts id={id} />
          <TraceDrawer />
          {accessKey.value === '' ? (
            <p class="quiet small">
              With the key of its owner this page also shows the model's log, its errors and its answers of open rounds:
              use “Key” above.
            </p>
          ) : (
            <OwnerPanels id={id} />
          )}
        </>
      )}
    </Loaded>
  )
}
