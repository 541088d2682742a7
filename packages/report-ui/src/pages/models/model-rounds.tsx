import type { AnswerOf } from '@crunch/coordinator-node/client'
import { Link } from 'wouter-preact'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useUrlState } from '../../data/url-state.ts'
import { columnNumbers, fullNumber, shortNumber } from '../../format/numbers.ts'
import { shortValue } from '../../format/values.ts'
import { statusWords, wordOf } from '../../format/words.ts'
import { answerReason } from '../../parts/answer-state.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Countdown, Time } from '../../parts/time.tsx'

export type PredictionRow = AnswerOf<'get', '/reports/predictions'>[number]

const roundCount = 50

/** What a model answered of late, what came true, and what it scored. */
export function ModelRounds({ id }: { readonly id: string }) {
  const rounds = useResource(
    `rounds of ${id}`,
    (signal) => node.get('/reports/predictions', { query: { projectIds: [id], limit: roundCount }, signal }),
    { topics: ['predictions'] },
  )
  const [, change] = useUrlState()
  return (
    <Panel title="Its newest rounds: what it answered, what came true, what it scored" resource={rounds}>
      {(rows) =>
        rows.length === 0 ? (
          <p class="quiet">It was asked nothing in the last week.</p>
        ) : (
          <DataTable
            label="Newest rounds"
            columns={roundColumns(rows, (prediction) => change({ prediction }))}
            rows={[...rows].reverse()}
            keyOf={(row) => row.id}
            versionOf={(row) => `${row.status} ${row.score_value}`}
          />
        )
      }
    </Panel>
  )
}

function roundColumns(rows: readonly PredictionRow[], open: (id: string) => void): readonly Column<PredictionRow>[] {
  const score = columnNumbers(rows.map((row) => row.score_value))
  return [
    { key: 'asked', title: 'Asked', width: '130px', isHeld: true, cell: (row) => <Time at={row.performed_at} /> },
    {
      key: 'scope',
      title: 'Question',
      width: 'minmax(120px, 1fr)',
      cell: (row) => (
        <Link class="cut" href={`/rounds/${encodeURIComponent(row.round_id)}`}>
          {row.scope_key}
        </Link>
      ),
    },
    {
      key: 'answer',
      title: 'Answer',
      width: 'minmax(140px, 2fr)',
      cell: (row) => <Answer row={row} />,
    },
    {
      key: 'truth',
      title: 'Truth',
      width: 'minmax(120px, 1fr)',
      cell: (row) =>
        row.void_reason !== null ? (
          <span class="cut quiet" title={row.void_reason}>
            void: {row.void_reason}
          </span>
        ) : row.status === 'PENDING' ? (
          <span class="quiet">
            <Countdown to={row.resolvable_at} />
          </span>
        ) : (
          <span class="cut" title={JSON.stringify(row.truth)}>
            {shortValue(row.truth)}
          </span>
        ),
    },
    {
      key: 'score',
      title: 'Score',
      width: '110px',
      isNumber: true,
      isLeading: true,
      cell: (row) => <span title={fullNumber(row.score_value)}>{score(row.score_value)}</span>,
    },
    {
      key: 'time',
      title: 'Took, ms',
      width: '90px',
      isNumber: true,
      cell: (row) => shortNumber(row.duration_ms),
    },
    {
      key: 'why',
      title: 'Trace',
      width: '80px',
      cell: (row) => (
        <button type="button" class="cell-button" onClick={() => open(row.id)}>
          Why<span class="hidden"> this score of {row.id}</span>
        </button>
      ),
    },
  ]
}

/** The answer itself, or why there is none to see. */
function Answer({ row }: { readonly row: PredictionRow }) {
  if (row.status === 'FAILED' || row.status === 'ABSENT') {
    return (
      <span class={`cut ${row.blame === 'coordinator' ? 'quiet' : 'fail'}`} title={answerReason(row)}>
        {answerReason(row) || wordOf(statusWords, row.status)}
      </span>
    )
  }
  if (row.hidden_until !== null) return <span class="quiet">hidden until the truth is known</span>
  return (
    <span class="cut" title={JSON.stringify(row.output)}>
      {shortValue(row.output)}
    </span>
  )
}
