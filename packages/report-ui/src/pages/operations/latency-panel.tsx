import { Histogram } from '../../charts/histogram.tsx'
import { fetchWithKey } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { counted } from '../../format/numbers.ts'
import { Empty } from '../../parts/empty.tsx'
import { Panel } from '../../parts/panel.tsx'
import { bucketsOf, samplesOf } from './read-metrics.ts'

const name = 'crunch_model_answer_duration_seconds'

async function readMetrics(signal: AbortSignal): Promise<string> {
  const response = await fetchWithKey('/metrics', { signal })
  if (!response.ok) throw new Error(`The node answered ${response.status} for its metrics.`)
  return response.text()
}

/** How long valid answers took, all models together. */
export function LatencyPanel() {
  const metrics = useResource('metrics', readMetrics, { everyMs: 30_000 })
  return (
    <Panel title="How long models take to answer" resource={metrics}>
      {(text) => {
        const buckets = bucketsOf(samplesOf(text), name)
        const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0)
        if (count === 0) {
          return (
            <Empty>
              No answer has been counted since the report worker started. Answers are counted a minute after their
              round.
            </Empty>
          )
        }
        return (
          <Histogram
            title="Valid answers by the time they took"
            buckets={withoutEmptyEnds(buckets)}
            counted="answers"
            foot={`n = ${counted(count, 'valid answer')} since the report worker started.`}
          />
        )
      }}
    </Panel>
  )
}

/** The range that holds all counts, and one empty bucket at each side. */
function withoutEmptyEnds<Bucket extends { readonly count: number }>(buckets: readonly Bucket[]): readonly Bucket[] {
  const first = buckets.findIndex(({ count }) => count > 0)
  const last = buckets.findLastIndex(({ count }) => count > 0)
  return buckets.slice(Math.max(0, first - 1), last + 2)
}
