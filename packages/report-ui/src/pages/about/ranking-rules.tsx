import { percent } from '../../format/numbers.ts'
import { columnName } from '../../format/words.ts'
import { FieldsTable } from './fields-table.tsx'
import { newcomerRule, type Rules, span } from './rule-text.ts'

/** How an answer is scored, and how scores become ranks. */
export function Ranking({ of: { score, ranking, baselines } }: { readonly of: Rules }) {
  const { windows, rank_by, direction, aggregation, own_order, snapshot_every, metrics, min_coverage } = ranking
  return (
    <div class="pairs-of-panels">
      <section class="panel" aria-label="Score">
        <h2>How an answer is scored</h2>
        <FieldsTable of={score} what="score" ranking={ranking.field} />
      </section>
      <section class="panel" aria-label="Ranking">
        <h2>How models are ranked</h2>
        <p>
          The value of a window is{' '}
          {aggregation === 'mean'
            ? `the mean of ${columnName(ranking.field)} over its rounds; every round has the same weight`
            : "computed by the contract's own function"}
          .{' '}
          {own_order
            ? 'The contract orders the models itself.'
            : `${direction === 'desc' ? 'Higher' : 'Lower'} is better.`}{' '}
          Equal values share a rank. A new leaderboard comes every {span(snapshot_every)}.
        </p>
        <ul class="bullets">
          {windows.map(({ name, length }) => (
            <li key={name}>
              {columnName(name)}: the last {span(length)}
              {name === rank_by ? <span class="tag beside">ranks</span> : null}
            </li>
          ))}
        </ul>
        <ul class="bullets">
          <li>{newcomerRule(ranking)}</li>
          <li>A model without a rank shows why. Required coverage: {percent(min_coverage)} of the window's rounds.</li>
          {metrics.length === 0 ? null : <li>Shown beside it: {metrics.map(columnName).join(', ')}.</li>}
          {baselines.length === 0 ? null : (
            <li>Baselines of the organizer, neither ranked nor paid: {baselines.join(', ')}.</li>
          )}
        </ul>
      </section>
    </div>
  )
}
