import { Link } from 'wouter-preact'
import { Bars } from '../../charts/bars.tsx'
import { counted, wholeNumber } from '../../format/numbers.ts'
import { exactShare, shareDecimals } from '../../format/rewards.ts'
import { Panel } from '../../parts/panel.tsx'
import { paidOf, previewPath, usePreview } from './checkpoint-data.ts'
import { ModelLink } from './payout-columns.tsx'
import { PreviewFacts, previewTitle } from './preview-facts.tsx'

const barCount = 8

/** Who would be paid if the period ended now, the best of them as bars. */
export function PreviewPanel() {
  const preview = usePreview()
  if (preview.data.value === null) return null
  return (
    <Panel title={previewTitle(preview.data.value)} resource={preview}>
      {(found) => {
        if (found === null) return null
        const paid = paidOf(found.meta.ranking)
        const decimals = shareDecimals(paid.map(({ reward_pct }) => reward_pct))
        return (
          <>
            <PreviewFacts of={found} />
            {paid.length === 0 ? null : (
              <div class="provisional-bars">
                <Bars
                  label="Share of the payout by model, if the period ended now"
                  bars={paid.slice(0, barCount).map((row) => ({
                    key: row.model_id,
                    label: <ModelLink of={row} />,
                    value: row.reward_pct,
                    text: exactShare(row.reward_pct, decimals),
                  }))}
                />
              </div>
            )}
            <p>
              {paid.length > barCount ? `${wholeNumber(paid.length - barCount)} more would be paid. ` : ''}
              {found.meta.ranking.length === 0 ? null : (
                <Link href={previewPath}>
                  What each of {counted(found.meta.ranking.length, 'model')} would get, and why
                </Link>
              )}
            </p>
          </>
        )
      }}
    </Panel>
  )
}
