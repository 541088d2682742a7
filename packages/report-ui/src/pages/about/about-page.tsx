import { useRules } from '../../data/resources.ts'
import { columnName } from '../../format/words.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { Panel } from '../../parts/panel.tsx'
import { PayRules } from './pay-rules.tsx'
import { Question } from './question.tsx'
import { Ranking } from './ranking-rules.tsx'
import { type Rules, span } from './rule-text.ts'
import './about.css'

/** The rules, as the contract says them. */
export default function AboutPage() {
  const rules = useRules()
  const { name } = rules.data.value ?? {}
  return (
    <>
      <div class="page-head">
        <div>
          <h1>{name === undefined ? 'The competition' : name}</h1>
          <p>These rules are generated from the contract that the node runs.</p>
        </div>
        <p>
          <a href="/docs">API reference</a>
        </p>
      </div>
      <Panel title="In short" resource={rules}>
        {(found) => <InShort of={found} />}
      </Panel>
      {rules.data.value === undefined ? null : (
        <>
          <TakePart of={rules.data.value} />
          <Question of={rules.data.value} />
          <Ranking of={rules.data.value} />
          <PayRules of={rules.data.value} />
        </>
      )}
    </>
  )
}

function InShort({ of: { question, ranking, pay } }: { readonly of: Rules }) {
  const subjects = [...new Set(question.schedules.map(({ subject }) => subject))]
  const horizons = [...new Set(question.schedules.map(({ horizon }) => span(horizon)))]
  const better = ranking.direction === 'desc' ? 'higher is better' : 'lower is better'
  return (
    <ol class="chain">
      <li>
        <strong>Asked</strong> about {listText(subjects)}, {listText(horizons)} ahead.
      </li>
      <li>
        <strong>Scored</strong> by {columnName(ranking.field)}
        {ranking.unit === null ? '' : ` in ${ranking.unit}`}, once the truth is known; {better}.
      </li>
      <li>
        <strong>Ranked</strong> by the last {span(windowOf(ranking).length)}, the window {columnName(ranking.rank_by)}.
      </li>
      <li>
        <strong>Paid</strong> every {span(pay.every)}.
      </li>
    </ol>
  )
}

function windowOf({ windows, rank_by }: Rules['ranking']): Rules['ranking']['windows'][number] {
  return windows.find(({ name }) => name === rank_by) ?? { name: rank_by, key: '', length: 0 }
}

function TakePart({ of: { take_part } }: { readonly of: Rules }) {
  return (
    <section class="panel" aria-label="Take part">
      <h2>Take part, in a workspace of the competition</h2>
      <ol class="commands">
        {take_part.map(({ purpose, command }) => (
          <li key={command}>
            <p>{purpose}</p>
            <Copyable text={command} />
          </li>
        ))}
      </ol>
    </section>
  )
}

/** At most three names; the table below has them all. */
function listText(names: readonly string[]): string {
  if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
  return names.length < 2 ? (names[0] ?? 'nothing') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
