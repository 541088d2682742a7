import { Link } from 'wouter-preact'
import { useModels, useRules } from '../../data/resources.ts'
import { useAddressWith, useUrlState } from '../../data/url-state.ts'
import { columnNumbers, counted, fullNumber, shortNumber } from '../../format/numbers.ts'
import { shortValue } from '../../format/values.ts'
import { AnswerState, answerReason } from '../../parts/answer-state.tsx'
import { type Column, DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { Countdown } from '../../parts/time.tsx'
import type { Answer, Round } from './use-round.ts'

interface NamedAnswer extends Answer {
  readonly name: string
}

/** Every answer with its score, and why there is none. */
export function AnswersTable({ round }: { readonly round: Round }) {
  const [url, change] = useUrlState()
  const names = new Map(useModels().data.value?.map(({ model_id, model_name }) => [model_id, model_name]))
  const ranking = useRules().data.value?.ranking
  const direction = ranking?.direction
  const named = round.predictions.map((answer) => ({ ...answer, name: names.get(answer.model_id) ?? answer.model_id }))
  const search = (url.q ?? '').toLowerCase()
  const found = named.filter(({ name }) => name.toLowerCase().includes(search))
  const columns = answerColumns(named, ranking?.unit ?? null)
  const best: Sort | null = direction === undefined ? null : { key: 'score', isDescending: direction === 'desc' }
  const sort = url.sort === undefined ? best : { key: url.sort, isDescending: url.order !== 'asc' }
  return (
    <section class="panel" aria-label="Answers and scores">
      <div class="panel-head">
        <h2>Answers and scores</h2>
        <label>
          <span class="hidden">Search models</span>
          <input
            type="search"
            placeholder="Model"
            value={url.q ?? ''}
            onInput={(event) => change({ q: event.currentTarget.value })}
          />
        </label>
      </div>
      {found.length === 0 ? (
        <p class="quiet">
          {named.length === 0 ? 'No model took part when the round was asked.' : `No model has “${url.q}” in its name.`}
        </p>
      ) : (
        <DataTable
          label={counted(found.length, 'answer')}
          columns={columns}
          rows={sortRows(found, columns, sort)}
          keyOf={({ id }) => id}
          sort={sort}
          onSort={({ key, isDescending }) => change({ sort: key, order: isDescending ? null : 'asc' })}
          versionOf={({ status, score_value }) => `${status} ${score_value}`}
        />
      )}
    </section>
  )
}

function answerColumns(answers: readonly NamedAnswer[], unit: string | null): readonly Column<NamedAnswer>[] {
  const score = columnNumbers(answers.map(({ score_value }) => score_value))
  return [
    {
      key: 'model',
      title: 'Model',
      width: 'minmax(130px, 1fr)',
      isHeld: true,
      order: ({ name }) => name,
      cell: ({ model_id, name }) => (
        <Link class="cut" href={`/models/${encodeURIComponent(model_id)}`} title={name}>
          {name}
        </Link>
      ),
    },
    {
      key: 'score',
      title: unit === null ? 'Score' : `Score, ${unit}`,
      width: '116px',
      isNumber: true,
      isLeading: true,
      order: ({ score_value }) => score_value,
      cell: ({ score_value, score_kind }) => (
        <>
          {score_kind === 'imputed' ? <span class="tag">imputed</span> : null}
          <span title={fullNumber(score_value)}>{score(score_value)}</span>
        </>
      ),
    },
    {
      key: 'state',
      title: 'State',
      width: '168px',
      order: ({ status }) => status,
      cell: ({ status, blame }) => <AnswerState status={status} blame={blame} />,
    },
    {
      key: 'answer',
      title: 'Answer, or why there is none',
      width: 'minmax(220px, 3fr)',
      cell: (answer) => <AnswerCell answer={answer} />,
    },
    {
      key: 'time',
      title: 'Took, ms',
      width: '92px',
      isNumber: true,
      order: ({ duration_ms }) => duration_ms,
      cell: ({ duration_ms }) => <span title={fullNumber(duration_ms)}>{shortNumber(duration_ms)}</span>,
    },
    { key: 'trace', title: 'Why', width: '76px', cell: (answer) => <TraceLink answer={answer} /> },
  ]
}

function TraceLink({ answer: { id, name } }: { readonly answer: NamedAnswer }) {
  const address = useAddressWith()
  return (
    <Link href={address({ prediction: id })}>
      Trace<span class="hidden"> of the answer of {name}</span>
    </Link>
  )
}

function AnswerCell({ answer }: { readonly answer: Answer }) {
  if (answer.hidden_until !== null) {
    return (
      <span class="quiet">
        hidden, <Countdown to={answer.hidden_until} /> left
      </span>
    )
  }
  const reason = answerReason(answer)
  const text = reason === '' ? shortValue(answer.output) : reason
  return (
    <span class={reason === '' ? 'cut' : 'cut quiet'} title={text}>
      {text}
    </span>
  )
}
