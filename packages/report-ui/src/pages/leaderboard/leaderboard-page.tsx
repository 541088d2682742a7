import { useMemo, useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { competitionNow } from '../../data/competition-time.ts'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { type BoardRow, useBoard } from '../../data/resources.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { duration, instant, msOf, zoneName } from '../../format/times.ts'
import { columnName, unrankedReasons, wordOf } from '../../format/words.ts'
import { Age } from '../../parts/age.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Exports } from '../../parts/exports.tsx'
import { Loaded } from '../../parts/panel.tsx'
import { boardColumns } from './board-columns.tsx'
import { usePins } from './pins.ts'

const useTrends = () =>
  useResource('trends', (signal) => node.get('/reports/leaderboard/trends', { signal }), { topics: ['leaderboard'] })

export function LeaderboardPage() {
  const board = useBoard()
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Leaderboard</h1>
          <BoardSummary rows={board.data.value} />
        </div>
        <div class="row">
          <Exports path="/reports/leaderboard" name="leaderboard" />
          <Age resource={board} />
        </div>
      </div>
      <Loaded resource={board}>{(rows) => (rows.length === 0 ? <NoBoard /> : <Board rows={rows} />)}</Loaded>
    </>
  )
}

function BoardSummary({ rows }: { readonly rows: readonly BoardRow[] | undefined }) {
  const [first] = rows ?? []
  if (rows === undefined || first === undefined) return null
  const { key, direction, own_order } = first.score_ranking
  const better = direction === 'desc' ? 'higher is better' : 'lower is better'
  const ranked = rows.filter(({ rank }) => rank !== null).length
  const closedMs = msOf(first.created_at)
  return (
    <p>
      {counted(ranked, 'ranked model')} by <strong>{columnName(key)}</strong>,{' '}
      {own_order ? "in the contract's own order" : better}. Closed{' '}
      <time dateTime={first.created_at} title={`${instant(closedMs)} ${zoneName()}`}>
        {duration(competitionNow.value - closedMs)} ago
      </time>
      .
    </p>
  )
}

/** Rows hold still while the pointer is among them; the page says how many changes wait. */
function useHeldRows(rows: readonly BoardRow[]) {
  const [held, setHeld] = useState<readonly BoardRow[] | null>(null)
  const shown = held ?? rows
  const before = new Map(shown.map((row, index) => [row.model_id, index]))
  const waiting = held === null ? 0 : rows.filter((row, index) => before.get(row.model_id) !== index).length
  return { shown, waiting, hold: () => setHeld(rows), release: () => setHeld(null) }
}

function Board({ rows: newest }: { readonly rows: readonly BoardRow[] }) {
  const { shown: rows, waiting, hold, release } = useHeldRows(newest)
  const trends = useTrends().data.value
  const [state, change] = useUrlState()
  const [pins, togglePin] = usePins()
  const search = (state.q ?? '').toLowerCase()
  const sort: Sort | null = state.sort === undefined ? null : { key: state.sort, isDescending: state.order !== 'asc' }
  const columns = useMemo(() => boardColumns(rows, trends, pins, togglePin), [rows, trends, pins])
  const found = rows.filter((row) => `${row.model_name} ${row.cruncher_name}`.toLowerCase().includes(search))
  const ranked = sortRows(
    pinnedFirst(
      found.filter(({ rank }) => rank !== null),
      pins,
    ),
    columns,
    sort,
  )
  const others = found.filter(({ rank }) => rank === null)
  return (
    <div class="stack" onPointerEnter={hold} onPointerLeave={release}>
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
        {sort === null ? null : (
          <button type="button" onClick={() => change({ sort: null, order: null })}>
            By rank again
          </button>
        )}
        <span class="quiet" role="status">
          {waiting === 0 ? '' : `${counted(waiting, 'change')} wait until the pointer leaves the table`}
        </span>
      </div>
      {ranked.length === 0 ? (
        <p class="quiet">
          {search === '' ? 'No model has a rank yet.' : `No ranked model has “${state.q}” in its name.`}
        </p>
      ) : (
        <DataTable
          label="Ranked models"
          columns={columns}
          rows={ranked}
          keyOf={(row) => row.model_id}
          sort={sort}
          onSort={({ key, isDescending }) => change({ sort: key, order: isDescending ? null : 'asc' })}
          isMarked={(row) => pins.has(row.model_id)}
          versionOf={(row) => `${row.rank} ${row.score_ranking.value}`}
        />
      )}
      <Unranked rows={others} />
    </div>
  )
}

function pinnedFirst(rows: readonly BoardRow[], pins: ReadonlySet<string>): readonly BoardRow[] {
  if (pins.size === 0) return rows
  return [...rows.filter(({ model_id }) => pins.has(model_id)), ...rows.filter(({ model_id }) => !pins.has(model_id))]
}

/** Newcomers, retired models and those of the organizer, each with its reason. */
function Unranked({ rows }: { readonly rows: readonly BoardRow[] }) {
  if (rows.length === 0) return null
  const reasons = [...new Set(rows.map((row) => row.unranked_reason))]
  return (
    <section class="panel" aria-label="Models without a rank">
      <h2>{counted(rows.length, 'model')} without a rank</h2>
      <ul class="stack">
        {reasons.map((reason) => {
          const models = rows.filter((row) => row.unranked_reason === reason)
          return (
            <li key={reason}>
              <p class="quiet">{wordOf(unrankedReasons, reason)}</p>
              <ul class="row">
                {models.map((row) => (
                  <li key={row.model_id} class="tag cut">
                    <Link href={`/models/${encodeURIComponent(row.model_id)}`}>{row.model_name ?? row.model_id}</Link>
                    {row.answered_count === null || row.round_count === null
                      ? ''
                      : ` ${row.answered_count} of ${counted(row.round_count, 'round')}`}
                  </li>
                ))}
              </ul>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function NoBoard() {
  return (
    <Empty>
      <p>No period has closed yet. The first ranks come when scores of a whole period are known.</p>
      <p>A model is added with</p>
      <Copyable text="npx crunch models add ./my-model" />
    </Empty>
  )
}
