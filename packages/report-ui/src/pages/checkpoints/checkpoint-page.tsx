import { Link } from 'wouter-preact'
import { counted, percent, wholeNumber } from '../../format/numbers.ts'
import { periodText } from '../../format/period.ts'
import { exactShare, sumOf } from '../../format/rewards.ts'
import { CopyButton } from '../../parts/copyable.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { type Checkpoint, checkpointPath, paidOf, useCheckpoint, useCheckpoints } from './checkpoint-data.ts'
import { floorText } from './floor-text.ts'
import { PayoutActions } from './payout-actions.tsx'
import { PayoutFiles } from './payout-files.tsx'
import { PayoutNotes } from './payout-notes.tsx'
import { PayoutTable } from './payout-table.tsx'
import { PreviewPage } from './preview-page.tsx'
import { CheckpointStatus } from './status-mark.tsx'
import { StatusSteps } from './status-steps.tsx'
import './checkpoints.css'

interface CheckpointPageProps {
  readonly id: string
}

export default function CheckpointPage({ id }: CheckpointPageProps) {
  return id === 'preview' ? <PreviewPage /> : <ClosedCheckpoint id={id} />
}

function ClosedCheckpoint({ id }: CheckpointPageProps) {
  const resource = useCheckpoint(id)
  const checkpoint = resource.data.value
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Payout {checkpoint === undefined ? '' : periodText(checkpoint.period_start, checkpoint.period_end)}</h1>
          <p class="row">
            <code>{id}</code>
            <CopyButton text={id} label="Copy id" />
          </p>
        </div>
        <Neighbours id={id} />
      </div>
      <Panel title={checkpoint === undefined ? 'Payout' : summaryOf(checkpoint)} resource={resource}>
        {(found) => <Facts of={found} />}
      </Panel>
      {checkpoint === undefined ? null : (
        <>
          <PayoutNotes of={checkpoint} />
          <div class="panels">
            <section class="panel" aria-label="Status">
              <h2>From closing to paid</h2>
              <StatusSteps of={checkpoint} />
              <PayoutActions of={checkpoint} reload={resource.reload} />
            </section>
            <PayoutFiles of={checkpoint} />
          </div>
          <PayoutTable
            ranking={checkpoint.meta.ranking}
            unmapped={new Set(checkpoint.meta.registry_problem === null ? checkpoint.meta.unmapped_model_ids : [])}
            indexes={indexesOf(checkpoint)}
          />
        </>
      )}
    </>
  )
}

/** What the payout does, in a sentence. */
function summaryOf({ meta }: Checkpoint): string {
  const paid = paidOf(meta.ranking).length
  if (paid === 0) return `None of ${counted(meta.model_count, 'model')} is paid`
  return `${counted(paid, 'model')} of ${wholeNumber(meta.model_count)} share ${exactShare(sumOf(meta.ranking))}`
}

function Facts({ of: checkpoint }: { readonly of: Checkpoint }) {
  const { meta, created_at, period_end } = checkpoint
  const floor = floorText(meta)
  return (
    <dl class="facts">
      <div>
        <dt>Status</dt>
        <dd>
          <CheckpointStatus of={checkpoint} />
        </dd>
      </div>
      <div>
        <dt>Period ended</dt>
        <dd>
          <Time at={period_end} />
        </dd>
        <dd class="small">
          closed <Instant at={created_at} />
        </dd>
      </div>
      <div>
        <dt>Floor</dt>
        <dd>{floor.value}</dd>
        <dd class="small">{floor.note}</dd>
      </div>
      <div>
        <dt>Required coverage</dt>
        <dd>{meta.min_coverage === 0 ? 'none' : percent(meta.min_coverage)}</dd>
        <dd class="small">
          {meta.min_coverage === 0 ? 'one valid answer is enough' : "of the period's rounds, answered validly"}
        </dd>
      </div>
      <div>
        <dt>Counted from</dt>
        <dd>{counted(meta.snapshot_count, 'snapshot')}</dd>
        <dd class="small">
          {meta.contract_versions
            .map(({ version, score_count }) => `${counted(score_count, 'score')} by version ${version}`)
            .join(', ')}
        </dd>
      </div>
    </dl>
  )
}

/** The payouts before and after this one. */
function Neighbours({ id }: { readonly id: string }) {
  const list = useCheckpoints().data.value ?? []
  const place = list.findIndex((one) => one.id === id)
  const [newer, older] = place < 0 ? [] : [list[place - 1], list[place + 1]]
  return (
    <nav class="row" aria-label="Payouts">
      {older === undefined ? null : <Link href={checkpointPath(older.id)}>← older</Link>}
      <Link href="/checkpoints">all payouts</Link>
      {newer === undefined ? null : <Link href={checkpointPath(newer.id)}>newer →</Link>}
    </nav>
  )
}

/** The index on chain of each model that has one. Rewards name models by their position in the ranking. */
function indexesOf({ entries, meta }: Checkpoint): ReadonlyMap<string, number> {
  return new Map(
    (entries[0]?.cruncher_rewards ?? []).flatMap(({ cruncher_index, onchain_cruncher_index: index }) => {
      const model = meta.ranking[cruncher_index]
      return model === undefined || index === null ? [] : [[model.model_id, index] as const]
    }),
  )
}
