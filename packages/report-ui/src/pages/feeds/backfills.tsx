import { useState } from 'preact/hooks'
import { accessKey, node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useUrlState } from '../../data/url-state.ts'
import { Panel } from '../../parts/panel.tsx'
import { canActHere } from '../checkpoints/next-move.ts'
import { BackfillForm } from './backfill-form.tsx'
import { type BackfillJob, JobTable } from './backfill-jobs.tsx'
import type { Feed } from './feed-names.ts'

/** Jobs change by themselves, and the stream has no events of them. */
const pollMs = 3_000

/** Jobs that fetch the past of a series; only for the organizer, so others are not asked for a key by themselves. */
export function Backfills({ feeds }: { readonly feeds: readonly Feed[] }) {
  const [url, change] = useUrlState()
  const isOpen = url.backfills !== undefined || accessKey.value !== ''
  return (
    <div id="backfills">
      {isOpen ? (
        <OpenBackfills feeds={feeds} />
      ) : (
        <section class="panel" aria-label="Backfills">
          <h2>Backfills</h2>
          <p class="quiet">
            The organizer can fetch the past of a series, and see how far that is
            {canActHere('', window.location.hostname) ? '.' : '; it needs a key.'}
          </p>
          <p>
            <button type="button" onClick={() => change({ backfills: 'shown' })}>
              Show backfills
            </button>
          </p>
        </section>
      )}
    </div>
  )
}

function OpenBackfills({ feeds }: { readonly feeds: readonly Feed[] }) {
  const [isStarting, setStarting] = useState(false)
  const jobs = useResource<readonly BackfillJob[]>(
    'backfill jobs',
    (signal) => node.get('/reports/backfill/jobs', { signal }),
    { everyMs: pollMs },
  )
  return (
    <Panel title="Backfills: jobs that fetch the past of a series" resource={jobs}>
      {(rows) => (
        <>
          {isStarting ? (
            <BackfillForm
              feeds={feeds}
              close={() => setStarting(false)}
              done={() => {
                setStarting(false)
                jobs.reload()
              }}
            />
          ) : (
            <p>
              <button type="button" onClick={() => setStarting(true)}>
                Fetch the past of a series
              </button>
            </p>
          )}
          {rows.length === 0 ? <p class="quiet">No job yet.</p> : <JobTable jobs={rows} reload={jobs.reload} />}
        </>
      )}
    </Panel>
  )
}
