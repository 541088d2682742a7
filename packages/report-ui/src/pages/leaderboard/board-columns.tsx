import type { AnswerOf } from '@crunch/coordinator-node/client'
import { Link } from 'wouter-preact'
import { Sparkline } from '../../charts/sparkline.tsx'
import type { BoardRow } from '../../data/resources.ts'
import { columnNumbers, fullNumber, noData, percent, wholeNumber } from '../../format/numbers.ts'
import { instant, msOf, zoneName } from '../../format/times.ts'
import { columnName } from '../../format/words.ts'
import type { Column } from '../../parts/data-table.tsx'
import { StateMark } from '../../parts/state-mark.tsx'

type Trends = AnswerOf<'get', '/reports/leaderboard/trends'>
type TrendRow = Trends['models'][number]

/** The columns of the board: the ranking value first, then the windows and metrics in the order of the contract. */
export function boardColumns(
  rows: readonly BoardRow[],
  trends: Trends | undefined,
  pins: ReadonlySet<string>,
  togglePin: (modelId: string) => void,
): readonly Column<BoardRow>[] {
  const [first] = rows
  const ranking = first?.score_ranking
  const byId: TrendsById = new Map(trends?.models.map((trend) => [trend.model_id, trend]))
  const keys = first?.score_columns ?? []
  const ordered = ranking === undefined ? keys : [ranking.key, ...keys.filter((key) => key !== ranking.key)]
  return [
    rankColumn,
    modelColumn(pins, togglePin),
    ...ordered.slice(0, 1).map((key) => scoreColumn(key, rows)),
    movedColumn(trends?.compared_with ?? null, byId),
    cruncherColumn,
    ...ordered.slice(1).map((key) => scoreColumn(key, rows)),
    trendColumn(byId),
    coverageColumn,
    scoresColumn,
    stateColumn,
  ]
}

type TrendsById = ReadonlyMap<string, TrendRow>

const rankColumn: Column<BoardRow> = {
  key: 'rank',
  title: 'Rank',
  width: '64px',
  isNumber: true,
  isHeld: true,
  order: (row) => (row.rank === null ? null : -row.rank),
  cell: (row) => <strong>{row.rank ?? noData}</strong>,
}

function modelColumn(pins: ReadonlySet<string>, togglePin: (modelId: string) => void): Column<BoardRow> {
  return {
    key: 'model',
    title: 'Model',
    width: 'minmax(148px, 2fr)',
    order: (row) => row.model_name,
    cell: (row) => (
      <>
        <button
          type="button"
          class="pin"
          aria-pressed={pins.has(row.model_id)}
          aria-label={`Pin ${row.model_name ?? row.model_id}`}
          onClick={() => togglePin(row.model_id)}
        >
          {pins.has(row.model_id) ? '★' : '☆'}
        </button>
        <Link class="cut" href={`/models/${encodeURIComponent(row.model_id)}`} title={row.model_name ?? row.model_id}>
          {row.model_name ?? row.model_id}
        </Link>
      </>
    ),
  }
}

/** Boards can be far apart, so the older one is named. */
function movedHint(before: string | null): string {
  if (before === null) return 'Ranks won or lost; there is no leaderboard that is a day old yet'
  return `Ranks won or lost since the leaderboard of ${instant(msOf(before))} ${zoneName()}`
}

/** @param before The older board; null: there is none yet, so no model is new. */
function movedColumn(before: string | null, byId: TrendsById): Column<BoardRow> {
  const isKnown = (row: BoardRow): boolean => before !== null && byId.has(row.model_id)
  return {
    key: 'moved',
    title: 'Moved',
    hint: movedHint(before),
    width: '64px',
    order: (row) => movementOf(row, byId.get(row.model_id)),
    cell: (row) => <Movement by={movementOf(row, byId.get(row.model_id))} isKnown={isKnown(row)} />,
  }
}

const cruncherColumn: Column<BoardRow> = {
  key: 'cruncher',
  title: 'Cruncher',
  width: 'minmax(100px, 1fr)',
  order: (row) => row.cruncher_name,
  cell: (row) => (
    <span class="cut" title={row.cruncher_name ?? ''}>
      {row.cruncher_name ?? noData}
    </span>
  ),
}

function trendColumn(byId: TrendsById): Column<BoardRow> {
  return {
    key: 'trend',
    title: 'Trend',
    hint: 'The ranking value over the last closed periods',
    width: '112px',
    cell: (row) => {
      const values = byId.get(row.model_id)?.values
      if (values === undefined) return noData
      return <Sparkline values={values} label={`Trend of ${row.model_name ?? row.model_id}`} />
    },
  }
}

const coverageColumn: Column<BoardRow> = {
  key: 'coverage',
  title: 'Answered',
  hint: 'Share of the rounds of the ranking window that it answered validly',
  width: '84px',
  isNumber: true,
  order: (row) => row.coverage,
  cell: (row) => (
    <span title={`${wholeNumber(row.answered_count)} of ${wholeNumber(row.round_count)} rounds`}>
      {percent(row.coverage)}
    </span>
  ),
}

const scoresColumn: Column<BoardRow> = {
  key: 'scores',
  title: 'Scores',
  hint: 'Scores in the ranking window, imputed ones included',
  width: '72px',
  isNumber: true,
  order: (row) => row.score_count,
  cell: (row) => wholeNumber(row.score_count),
}

const stateColumn: Column<BoardRow> = {
  key: 'state',
  title: 'State',
  width: '92px',
  order: (row) => row.status,
  cell: (row) => <StateMark mood={row.status === 'active' ? 'ok' : 'warn'} word={row.status} />,
}

function scoreColumn(key: string, rows: readonly BoardRow[]): Column<BoardRow> {
  const ranking = rows[0]?.score_ranking
  const isLeading = key === ranking?.key
  const values = rows.map((row) => row.score_metrics[key] ?? null)
  const format = columnNumbers(values)
  const better = ranking?.direction === 'desc' ? 'higher is better' : 'lower is better'
  return {
    key,
    title: columnName(key),
    ...(isLeading ? { note: better, hint: 'Models are ranked by this column' } : {}),
    width: isLeading ? 'minmax(112px, 1fr)' : 'minmax(88px, 1fr)',
    isNumber: true,
    isLeading,
    order: (row) => row.score_metrics[key] ?? null,
    cell: (row) => <span title={fullNumber(row.score_metrics[key])}>{format(row.score_metrics[key])}</span>,
  }
}

/** Ranks won since the older board; null: it had no rank then. */
function movementOf(row: BoardRow, trend: TrendRow | undefined): number | null {
  const before = trend?.rank_before ?? null
  return before === null || row.rank === null ? null : before - row.rank
}

function Movement({ by, isKnown }: { readonly by: number | null; readonly isKnown: boolean }) {
  if (!isKnown) return <span class="quiet">{noData}</span>
  if (by === null) return <span class="quiet">new</span>
  if (by === 0) return <span class="quiet">=</span>
  const word = `${by > 0 ? 'up' : 'down'} ${Math.abs(by)}`
  return (
    <span class={by > 0 ? 'ok' : 'fail'} title={word}>
      <span aria-hidden="true">{by > 0 ? '↑' : '↓'}</span>
      <span class="hidden">{by > 0 ? 'up' : 'down'}</span>
      {Math.abs(by)}
    </span>
  )
}
