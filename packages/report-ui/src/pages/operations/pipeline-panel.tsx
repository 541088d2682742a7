import { Panel } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Time } from '../../parts/time.tsx'
import { useOperations } from './operations-data.ts'
import { type Stage, stagesOf } from './stages.ts'

/** The stages in the order in which a record passes them. */
export function PipelinePanel() {
  return (
    <Panel title="From a record to a payout: what each stage did in the last hour" resource={useOperations()}>
      {(operations) => (
        <ol class="pipeline" aria-label="Stages of the pipeline, in the order of the data">
          {stagesOf(operations).map((stage) => (
            <StageBox key={stage.name} of={stage} />
          ))}
        </ol>
      )}
    </Panel>
  )
}

function StageBox({ of: { name, mood, word, lastAt, facts } }: { readonly of: Stage }) {
  return (
    <li class={mood}>
      <h3>{name}</h3>
      <StateMark mood={mood} word={word} />
      <dl>
        {facts.map((fact) => (
          <div key={fact.name}>
            <dt>{fact.name}</dt>
            <dd>{fact.value}</dd>
          </div>
        ))}
        {lastAt === null ? null : (
          <div>
            <dt>Newest</dt>
            <dd>
              <Time at={lastAt} />
            </dd>
          </div>
        )}
      </dl>
    </li>
  )
}
