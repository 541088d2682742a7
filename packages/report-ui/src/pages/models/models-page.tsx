import type { AnswerOf } from '@crunch/coordinator-node/client'
import { Link } from 'wouter-preact'
import { type Activity, useActivity, useModels } from '../../data/resources.ts'
import { useUrlState } from '../../data/url-state.ts'
import { columnNumbers, counted, noData, percent, wholeNumber } from '../../format/numbers.ts'
import { msOf } from '../../format/times.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { type Column, DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Panel } from '../../parts/panel.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Time } from '../../parts/time.tsx'

type ModelRow = AnswerOf<'get', '/reports/models'>[number]

/** Every model that the node knows, with what it answered of late. */
export default function ModelsPage() {
  const models = useModels()
  const activity = useActivity()
  const byId = new Map((activity.data.value ?? []).map((row) => [row.model_id, row]))
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Models</h1>
          <p>Who takes part, and how the models answered during the last day.</p>
        </div>
      </div>
      <Panel title="All models" resource={models}>
        {(rows) => (rows.length === 0 ? <NoModels /> : <ModelTable rows={rows} activity={byId} />)}
      </Panel>
    </>
  )
}

interface ModelTableProps {
  readonly rows: readonly ModelRow[]
  readonly activity: ReadonlyMap<string, Activity>
}

function ModelTable({ rows, activity }: ModelTableProps) {
  const [state, change] = useUrlState()
  const search = (state.q ?? '').toLowerCase()
  const sort: Sort | null = state.sort === undefined ? null : { key: state.sort, isDescending: state.order !== 'asc' }
  const columns = modelColumns(activity)
  const found = rows.filter((row) =>
    `${row.model_name} ${row.cruncher_name} ${row.model_id}`.toLowerCase().includes(search),
  )
  return (
    <>
      <div class="row">
        <label>
          <span class="hidden">Search models and crunchers</span>
          <input
            type="search"
            placeholder="Model or cruncher"
            value={state.q ?? ''}
            onInput={(event) => change({ q: event.currentTarget.value })}
          />
        </label>
        <span class="quiet">{counted(found.length, 'model')}</span>
      </div>
      <DataTable
        label="Models"
        columns={columns}
        rows={sortRows(found, columns, sort)}
        keyOf={(row) => row.model_id}
        sort={sort}
        onSort={({ key, isDescending }) => change({ sort: key, order: isDescending ? null : 'asc' })}
      />
    </>
  )
}

const roleColumn: Column<ModelRow> = {
  key: 'role',
  title: 'Role',
  width: '110px',
  order: (row) => row.role,
  cell: (row) => (row.role === 'participant' ? '' : <span class="tag">{row.role}</span>),
}

function modelColumns(activity: ReadonlyMap<string, Activity>): readonly Column<ModelRow>[] {
  const of = (row: ModelRow): Activity | undefined => activity.get(row.model_id)
  const milliseconds = columnNumbers([...activity.values()].map((one) => one.latency_ms?.p95 ?? null))
  return [
    {
      key: 'model',
      title: 'Model',
      width: 'minmax(160px, 2fr)',
      isHeld: true,
      order: (row) => row.model_name,
      cell: (row) => (
        <Link class="cut" href={`/models/${encodeURIComponent(row.model_id)}`} title={row.model_name}>
          {row.model_name}
        </Link>
      ),
    },
    {
      key: 'cruncher',
      title: 'Cruncher',
      width: 'minmax(110px, 1fr)',
      order: (row) => row.cruncher_name,
      cell: (row) => <span class="cut">{row.cruncher_name}</span>,
    },
    roleColumn,
    {
      key: 'state',
      title: 'State',
      width: '130px',
      order: (row) => modelState(row, of(row)).word,
      cell: (row) => <StateMark {...modelState(row, of(row))} />,
    },
    {
      key: 'answers',
      title: 'Answered',
      hint: 'Share of valid answers during the last day',
      width: '100px',
      isNumber: true,
      order: (row) => answeredShare(of(row)),
      cell: (row) => percent(answeredShare(of(row))),
    },
    {
      key: 'failures',
      title: 'Failed',
      hint: 'Failed and missing answers during the last day',
      width: '90px',
      isNumber: true,
      order: (row) => failureCount(of(row)),
      cell: (row) => wholeNumber(failureCount(of(row))),
    },
    {
      key: 'latency',
      title: 'Latency p95, ms',
      width: '130px',
      isNumber: true,
      order: (row) => of(row)?.latency_ms?.p95 ?? null,
      cell: (row) => milliseconds(of(row)?.latency_ms?.p95),
    },
    {
      key: 'joined',
      title: 'Joined',
      width: '130px',
      order: (row) => msOf(row.registered_at),
      cell: (row) => <Time at={row.registered_at} />,
    },
  ]
}

/** Whether a model takes part and answers. */
export function modelState({ retired_at }: Pick<ModelRow, 'retired_at'>, activity: Activity | undefined) {
  if (retired_at !== null) return { mood: 'quiet', word: 'retired' } as const
  if (activity === undefined) return { mood: 'quiet', word: 'not asked yet' } as const
  const share = answeredShare(activity)
  if (share === null) return { mood: 'quiet', word: 'not asked yet' } as const
  if (share === 0) return { mood: 'fail', word: 'silent' } as const
  return share < 0.95 ? ({ mood: 'warn', word: 'fails at times' } as const) : ({ mood: 'ok', word: 'answers' } as const)
}

function failureCount(activity: Activity | undefined): number | null {
  if (activity === undefined) return null
  return (activity.counts.FAILED ?? 0) + (activity.counts.ABSENT ?? 0)
}

function answeredShare(activity: Activity | undefined): number | null {
  if (activity === undefined) return null
  const valid = (activity.counts.SCORED ?? 0) + (activity.counts.PENDING ?? 0)
  const all = valid + (failureCount(activity) ?? 0)
  return all === 0 ? null : valid / all
}

function NoModels() {
  return (
    <Empty>
      <p>No model takes part yet {noData} a model is added with</p>
      <Copyable text="npx crunch models add ./my-model" />
    </Empty>
  )
}
