import { duration } from '../../format/times.ts'
import { Empty } from '../../parts/empty.tsx'
import { Panel } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { useOperations } from './operations-data.ts'
import { workerMark } from './worker-mark.ts'

/** The workers of the node, and when they were last heard. */
export function WorkersPanel() {
  const operations = useOperations()
  // The drawing of the pipeline says why there are no data.
  if (operations.data.value === undefined) return null
  return (
    <Panel title="Workers, and when they last did something" resource={operations}>
      {({ workers }) =>
        workers.length === 0 ? (
          <Empty>No worker has reported yet. They do so within a few seconds of their start: crunch deploy.</Empty>
        ) : (
          <>
            <div class="table-scroll" role="region" aria-label="Workers" tabIndex={0}>
              <table class="plain-table whole-words">
                <thead>
                  <tr>
                    <th scope="col">Worker</th>
                    <th scope="col">State</th>
                    <th scope="col" class="number">
                      Last heard
                    </th>
                    <th scope="col" class="number">
                      Last pass
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {workers.map(({ worker, silent_ms, since_work_ms, ...state }) => (
                    <tr key={worker}>
                      <th scope="row">{worker}</th>
                      <td>
                        <StateMark {...workerMark(state)} />
                      </td>
                      <td class="number">{duration(silent_ms)} ago</td>
                      <td class="number">{since_work_ms === null ? 'none yet' : `${duration(since_work_ms)} ago`}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {workers.map(({ worker, problem }) =>
              problem === null ? null : (
                <p key={worker} class="lines">
                  <strong>{worker}</strong>: {problem}
                </p>
              ),
            )}
          </>
        )
      }
    </Panel>
  )
}
