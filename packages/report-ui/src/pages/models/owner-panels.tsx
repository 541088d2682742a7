import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useUrlState } from '../../data/url-state.ts'
import { answerReasons, blameWords, wordOf } from '../../format/words.ts'
import { Panel } from '../../parts/panel.tsx'
import { Instant } from '../../parts/time.tsx'

/** What only the owner of a model and the organizer see: its log and its errors. */
export function OwnerPanels({ id }: { readonly id: string }) {
  return (
    <>
      <Failures id={id} />
      <Log id={id} />
    </>
  )
}

function Failures({ id }: { readonly id: string }) {
  const failures = useResource(
    `failures ${id}`,
    (signal) =>
      node.get('/reports/models/{model_id}/failures', { params: { model_id: id }, query: { limit: 100 }, signal }),
    { everyMs: 15_000 },
  )
  return (
    <Panel title="Failed and missing answers of the last day" resource={failures}>
      {(rows) =>
        rows.length === 0 ? (
          <p class="quiet">No answer of the last day failed or is missing.</p>
        ) : (
          <div class="chart-table">
            <table class="plain-table">
              <thead>
                <tr>
                  <th scope="col">Asked</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Whose fault</th>
                  <th scope="col">In words</th>
                </tr>
              </thead>
              <tbody>
                {[...rows].reverse().map((row) => (
                  <tr key={row.round_id}>
                    <td>
                      <Instant at={row.performed_at} />
                    </td>
                    <td>{wordOf(answerReasons, row.reason)}</td>
                    <td>{wordOf(blameWords, row.blame)}</td>
                    <td>
                      <code>{row.detail}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Panel>
  )
}

function Log({ id }: { readonly id: string }) {
  const [state, change] = useUrlState()
  const kind = state.log === 'builder' ? 'builder' : 'runner'
  const log = useResource(
    `log ${id} ${kind}`,
    (signal) => node.get('/reports/models/{model_id}/logs', { params: { model_id: id }, query: { kind }, signal }),
    { everyMs: 5_000 },
  )
  const choices = [
    ['runner', 'While it runs'],
    ['builder', 'Preparation'],
  ] as const
  const tools = choices.map(([name, title]) => (
    <button
      key={name}
      type="button"
      aria-pressed={kind === name}
      onClick={() => change({ log: name === 'runner' ? null : name })}
    >
      {title}
    </button>
  ))
  return (
    <Panel title="What the model printed" resource={log} tools={tools}>
      {({ lines }) =>
        lines.length === 0 ? <p class="quiet">Nothing yet.</p> : <pre class="json">{lines.join('\n')}</pre>
      }
    </Panel>
  )
}
