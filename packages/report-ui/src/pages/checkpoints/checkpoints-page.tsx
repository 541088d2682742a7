import { Link } from 'wouter-preact'
import { useRules } from '../../data/resources.ts'
import { useUrlState } from '../../data/url-state.ts'
import { counted } from '../../format/numbers.ts'
import { zoneName } from '../../format/times.ts'
import { checkpointWords } from '../../format/words.ts'
import { DataTable, type Sort, sortRows } from '../../parts/data-table.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Exports } from '../../parts/exports.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Instant, Time } from '../../parts/time.tsx'
import { checkpointColumns } from './checkpoint-columns.tsx'
import { type Checkpoint, firstCount, mostCount, useCheckpoints } from './checkpoint-data.ts'
import { PreviewPanel } from './preview-panel.tsx'
import './checkpoints.css'

export default function CheckpointsPage() {
  const [{ older }] = useUrlState()
  const checkpoints = useCheckpoints(older === undefined ? firstCount : mostCount)
  const [newest] = checkpoints.data.value ?? []
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Checkpoints</h1>
          <p>
            Each period is paid by its own ranking.{' '}
            {newest === undefined ? null : (
              <>
                The newest ended <Time at={newest.period_end} />.
              </>
            )}
          </p>
        </div>
        <div class="row">
          <Exports path="/reports/checkpoints?limit=100" name="checkpoints" />
        </div>
      </div>
      <PreviewPanel />
      <Panel title="Closed payouts, newest first" resource={checkpoints}>
        {(rows) => (rows.length === 0 ? <NoCheckpoint /> : <CheckpointList rows={rows} />)}
      </Panel>
    </>
  )
}

function CheckpointList({ rows }: { readonly rows: readonly Checkpoint[] }) {
  const [state, change] = useUrlState()
  const sort: Sort | null = state.sort === undefined ? null : { key: state.sort, isDescending: state.order !== 'asc' }
  const wanted = state.status ?? ''
  const found = rows.filter(({ status }) => wanted === '' || status === wanted)
  return (
    <>
      <div class="row">
        <label class="row">
          Status
          <select value={wanted} onChange={(event) => change({ status: event.currentTarget.value })}>
            <option value="">any</option>
            {Object.entries(checkpointWords).map(([status, word]) => (
              <option key={status} value={status}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <span class="quiet">{counted(found.length, 'payout')}</span>
      </div>
      {found.length === 0 ? (
        <p class="quiet">No payout has this status.</p>
      ) : (
        <DataTable
          label="Payouts"
          columns={checkpointColumns}
          rows={sortRows(found, checkpointColumns, sort)}
          keyOf={({ id }) => id}
          sort={sort}
          onSort={({ key, isDescending }) => change({ sort: key, order: isDescending ? null : 'asc' })}
          versionOf={({ status }) => status}
        />
      )}
      {state.older === undefined && rows.length >= firstCount ? (
        <p>
          <button type="button" onClick={() => change({ older: '1' })}>
            Show older payouts
          </button>
        </p>
      ) : null}
    </>
  )
}

function NoCheckpoint() {
  const period = useRules().data.value?.pay_period
  return (
    <Empty>
      <p>
        No payout has closed yet. One closes by itself when its period is over and every round in it has its truth or
        has expired.
      </p>
      {period === undefined ? null : (
        <p>
          The running period ends <Time at={period.end} />, on <Instant at={period.end} /> {zoneName()}. What is paid to
          whom is part of <Link href="/about">the rules</Link>.
        </p>
      )}
    </Empty>
  )
}
