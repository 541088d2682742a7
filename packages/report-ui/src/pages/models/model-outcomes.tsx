import type { AnswerOf } from '@crunch/coordinator-node/client'
import { useMemo } from 'preact/hooks'
import { type Bar, Bars } from '../../charts/bars.tsx'
import type { ChartData } from '../../charts/chart-data.ts'
import { TimeChart } from '../../charts/time-chart.tsx'
import { node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { counted, percent, shortNumber, wholeNumber } from '../../format/numbers.ts'
import { answerReasons, blameWords, statusWords, wordOf } from '../../format/words.ts'
import { Panel } from '../../parts/panel.tsx'

type Outcomes = AnswerOf<'get', '/reports/models/{model_id}/outcomes'>
type Outcome = Outcomes['total'][number]

const dayMs = 86_400_000

/** What became of a model's answers, who is to blame for those that are missing, and how long the others took. */
export function ModelOutcomes({ id }: { readonly id: string }) {
  const outcomes = useResource(
    `outcomes ${id}`,
    (signal) => node.get('/reports/models/{model_id}/outcomes', { params: { model_id: id }, signal }),
    { topics: ['models'], everyMs: 60_000 },
  )
  return (
    <Panel title="Its answers of the last seven days" resource={outcomes}>
      {(answers) =>
        answers.total.length === 0 ? <p class="quiet">It was asked nothing in these days.</p> : <Answers {...answers} />
      }
    </Panel>
  )
}

function Answers({ total, days, latency_quantiles: latency }: Outcomes) {
  const chart = useMemo(() => dailyShares(days), [days])
  const all = countOf(total)
  return (
    <div class="panels">
      <div class="stack">
        <p>
          {counted(all, 'question')}: {percent(validShare(total))} answered validly.
        </p>
        <Bars label="Answers by outcome" bars={total.map((outcome) => barOf(outcome, all))} full={all} />
        {latency === null ? null : (
          <p class="small quiet">
            Valid answers took {shortNumber(latency.p50)} ms in the middle, {shortNumber(latency.p95)} ms for the
            slowest twentieth, {shortNumber(latency.max)} ms at most.
          </p>
        )}
      </div>
      <TimeChart title="Valid answers per day, in percent of those asked" data={chart} unit="%" height={180} />
    </div>
  )
}

function barOf({ status, reason, blame, count }: Outcome, all: number): Bar {
  const why = reason === null ? '' : `: ${wordOf(answerReasons, reason)}`
  const fault = blame === null ? '' : ` (${wordOf(blameWords, blame)})`
  return {
    key: `${status} ${reason} ${blame}`,
    label: `${wordOf(statusWords, status)}${why}${fault}`,
    value: count,
    text: `${wholeNumber(count)}, ${percent(count / all)}`,
  }
}

function countOf(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { count }) => sum + count, 0)
}

/** What is the node's fault does not count. */
function validShare(outcomes: readonly Outcome[]): number | null {
  const counted = outcomes.filter(({ blame }) => blame !== 'coordinator')
  const all = countOf(counted)
  return all === 0 ? null : countOf(counted.filter(({ status }) => status === 'SCORED' || status === 'PENDING')) / all
}

/** One value a day; a day without a question is a gap. */
function dailyShares(days: Outcomes['days']): ChartData {
  const shares = new Map(days.map(({ day, outcomes }) => [Date.parse(day), validShare(outcomes)]))
  const first = Math.min(...shares.keys())
  const count = shares.size === 0 ? 0 : (Math.max(...shares.keys()) - first) / dayMs + 1
  const times = Array.from({ length: count }, (_, index) => first + index * dayMs)
  const values = times.map((time) => {
    const share = shares.get(time) ?? null
    return share === null ? null : share * 100
  })
  return { times, range: [0, 100], lines: [{ label: 'valid', values, hue: 1 }] }
}
