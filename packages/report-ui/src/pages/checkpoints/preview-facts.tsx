import { counted } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { emissionReasons, wordOf } from '../../format/words.ts'
import { Countdown, Time } from '../../parts/time.tsx'
import { type Preview, paidOf } from './checkpoint-data.ts'

/** The API lists no more. */
const mostOpen = 50

/** Whether no snapshot period has closed in it yet. */
const isUncounted = ({ counted_until, period_start }: Preview): boolean => counted_until === period_start

export function previewTitle(preview: Preview | null | undefined): string {
  if (preview === null || preview === undefined) return 'If the period ended now'
  if (isUncounted(preview)) return 'If the period ended now, nothing would be counted'
  const paid = paidOf(preview.meta.ranking).length
  return `If the period ended now, ${paid === 0 ? 'no model' : counted(paid, 'model')} would be paid`
}

/** How far the running period is counted, and what can still change it. */
export function PreviewFacts({ of: preview }: { readonly of: Preview }) {
  const { period_start, period_end, counted_until, meta, open_rounds } = preview
  const waiting = open_rounds.reduce((sum, { answers }) => sum + answers, 0)
  const isEmpty = isUncounted(preview)
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Ends in</dt>
          <dd>
            <Countdown to={period_end} />
          </dd>
          <dd class="small">{periodText(period_start, period_end)}</dd>
        </div>
        <div>
          <dt>Counted until</dt>
          <dd>{isEmpty ? 'nothing yet' : <Time at={counted_until} />}</dd>
          <dd class="small">{counted(meta.snapshot_count, 'snapshot')}</dd>
        </div>
        <div>
          <dt>Still open</dt>
          <dd>
            {open_rounds.length < mostOpen ? '' : 'at least '}
            {counted(open_rounds.length, 'round')}
          </dd>
          <dd class="small">{counted(waiting, 'answer')} wait for their truth</dd>
        </div>
      </dl>
      {isEmpty ? (
        <p>Nothing is counted in this period yet. The first results come when a snapshot period closes in it.</p>
      ) : meta.emission_reason === null ? (
        <p class="quiet">Provisional: it counts what is scored so far, by the rules that will close the period.</p>
      ) : (
        <p>{wordOf(emissionReasons, meta.emission_reason)}</p>
      )}
    </>
  )
}
