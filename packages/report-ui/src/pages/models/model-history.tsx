import type { AnswerOf } from '@crunch/coordinator-node/client'
import { useMemo } from 'preact/hooks'
import type { ChartData } from '../../charts/chart-data.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useBoard, useModels } from '../../data/resources.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { msOf } from '../../format/times.ts'
import { columnName } from '../../format/words.ts'
import { Panel } from '../../parts/panel.tsx'

type HistoryRow = AnswerOf<'get', '/reports/models/{model_id}/history'>[number]

const ranges = [
  [1, 'Day'],
  [7, 'Week'],
  [30, 'Month'],
  [365, 'Year'],
] as const
const dayMs = 86_400_000

interface ModelHistoryProps {
  readonly id: string
  readonly name: string
}

/** How the model did over time, beside the field and a rival. */
export function ModelHistory({ id, name }: ModelHistoryProps) {
  const [state, change] = useUrlState()
  const days = ranges.find(([length]) => String(length) === state.days)?.[0] ?? 30
  const rival = state.rival
  const history = useResource(
    `history ${id} ${rival ?? ''} ${days}`,
    (signal) => readHistory(id, rival, days, signal),
    { topics: ['leaderboard'] },
  )
  const tools = ranges.map(([length, title]) => (
    <button
      key={length}
      type="button"
      aria-pressed={days === length}
      onClick={() => change({ days: length === 30 ? null : String(length) })}
    >
      {title}
    </button>
  ))
  return (
    <Panel title="How it did over time" resource={history} tools={tools}>
      {(rows) =>
        rows.length === 0 ? (
          <p class="quiet">No period of this range has closed with a score of this model.</p>
        ) : (
          <Charts rows={rows} id={id} name={name} rival={rival} choose={(next) => change({ rival: next })} />
        )
      }
    </Panel>
  )
}

/** The range ends with the competition's newest period, not with this machine's time: a replay is in the past. */
async function readHistory(id: string, rival: string | undefined, days: number, signal: AbortSignal) {
  const { now } = await node.get('/info', { signal })
  const since = new Date(msOf(now) - days * dayMs).toISOString()
  return node.get('/reports/models/{model_id}/history', {
    params: { model_id: id },
    query: { since, points: 300, ...(rival === undefined ? {} : { rival }) },
    signal,
  })
}

interface ChartsProps extends ModelHistoryProps {
  readonly rows: readonly HistoryRow[]
  readonly rival: string | undefined
  readonly choose: (rival: string) => void
}

function Charts({ rows, id, name, rival, choose }: ChartsProps) {
  const models = useModels().data.value ?? []
  const ranking = useBoard().data.value?.[0]?.score_ranking
  const rivalName = models.find(({ model_id }) => model_id === rival)?.model_name ?? rival
  const [values, ranks] = useMemo(() => chartsOf(rows, name, rivalName), [rows, name, rivalName])
  const better = ranking === undefined ? '' : `; ${ranking.direction === 'desc' ? 'higher' : 'lower'} is better`
  const column = ranking === undefined ? 'Ranking value' : columnName(ranking.key)
  return (
    <>
      <label class="row">
        Rival
        <select value={rival ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">none</option>
          {models
            .filter(({ model_id }) => model_id !== id)
            .map(({ model_id, model_name }) => (
              <option key={model_id} value={model_id}>
                {model_name}
              </option>
            ))}
        </select>
      </label>
      <TimeChart
        title={`${column} after each period${better}`}
        data={values}
        foot={`${counted(rows.length, 'period')}; the grey band holds the middle half of all models, the wide one 90 % of them`}
      />
      <TimeChart title="Rank after each period; 1 is best" data={ranks} height={160} />
    </>
  )
}

function chartsOf(
  rows: readonly HistoryRow[],
  name: string,
  rivalName: string | undefined,
): readonly [ChartData, ChartData] {
  const times = rows.map(({ period_end }) => msOf(period_end))
  const field = (share: 'p5' | 'p25' | 'p50' | 'p75' | 'p95') => rows.map(({ field: all }) => all?.[share] ?? null)
  const rivals = rows.map(({ rival }) => rival)
  return [
    {
      times,
      bands: [
        { label: '90 % of the field', low: field('p5'), high: field('p95') },
        { label: 'half of the field', low: field('p25'), high: field('p75') },
      ],
      lines: [
        { label: 'median', values: field('p50'), isDashed: true },
        { label: name, values: rows.map(({ value }) => value), hue: 1 },
        ...(rivalName === undefined
          ? []
          : [{ label: rivalName, values: rivals.map((one) => one?.value ?? null), hue: 2 as const }]),
      ],
    },
    {
      times,
      areRanks: true,
      lines: [
        { label: name, values: rows.map(({ rank }) => rank), hue: 1 },
        ...(rivalName === undefined
          ? []
          : [{ label: rivalName, values: rivals.map((one) => one?.rank ?? null), hue: 2 as const }]),
      ],
    },
  ]
}
