import { Link } from 'wouter-preact'
import { Panel } from '../../parts/panel.tsx'
import { usePreview } from './checkpoint-data.ts'
import { PayoutTable } from './payout-table.tsx'
import { PreviewFacts, previewTitle } from './preview-facts.tsx'

/** What each model would be paid if the period ended now, and why. */
export function PreviewPage() {
  const preview = usePreview()
  const found = preview.data.value
  return (
    <>
      <div class="page-head">
        <h1>If the period ended now</h1>
        <nav class="row" aria-label="Payouts">
          <Link href="/checkpoints">all payouts</Link>
          <Link href="/about">how it is divided</Link>
        </nav>
      </div>
      <Panel title={previewTitle(found)} resource={preview}>
        {(row) => (row === null ? <p>This node cannot tell before the period closes.</p> : <PreviewFacts of={row} />)}
      </Panel>
      {found === null || found === undefined ? null : <PayoutTable ranking={found.meta.ranking} />}
    </>
  )
}
