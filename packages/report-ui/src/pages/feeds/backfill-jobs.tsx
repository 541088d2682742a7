import type { AnswerOf } from '@crunch/coordinator-node/client'
import { useState } from 'preact/hooks'
import { failureOf, node } from '../../data/node.ts'
import { seriesKey } from '../../data/records.ts'
import { percent, wholeNumber } from '../../format/numbers.ts'
import { dayOf, msOf } from '../../format/times.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { type Mood, StateMark } from '../../parts/state-mark.tsx'
import { Time } from '../../parts/time.tsx'
import { jobProgress } from './job-progress.ts'

export type BackfillJob = AnswerOf<'get', '/reports/backfill/jobs'>[number]

interface JobTableProps {
  readonly jobs: readonly BackfillJob[]
  readonly reload: () => void
}

const moods: Readonly<Record<BackfillJob['status'], Mood>> = {
  ...{ pending: 'quiet', running: 'ok', completed: 'ok', failed: 'fail', cancelled: 'quiet' },
}

/** Newest first, with how far each has come. */
export function JobTable({ jobs, reload }: JobTableProps) {
  const [problem, setProblem] = useState<string | null>(null)
  async function cancel({ id }: BackfillJob): Promise<void> {
    setProblem(null)
    try {
      await node.post('/reports/backfill/jobs/{job_id}/cancel', { params: { job_id: id } })
    } catch (error) {
      setProblem(failureOf(error).text)
    }
    reload()
  }
  return (
    <>
      {problem === null ? null : (
        <p class="failure" role="alert">
          {problem}
        </p>
      )}
      <DataTable
        label="Backfills, newest first"
        columns={jobColumns(cancel)}
        rows={jobs}
        keyOf={({ id }) => id}
        versionOf={({ status }) => status}
      />
    </>
  )
}

function jobColumns(cancel: (job: BackfillJob) => Promise<void>): readonly Column<BackfillJob>[] {
  return [
    {
      key: 'series',
      title: 'Series',
      width: 'minmax(140px, 1fr)',
      isHeld: true,
      cell: (job) => (
        <span class="cut" title={seriesKey(job)}>
          {job.subject} {job.granularity}
        </span>
      ),
    },
    {
      key: 'state',
      title: 'State',
      width: '124px',
      cell: ({ status }) => <StateMark mood={moods[status]} word={status} />,
    },
    {
      key: 'progress',
      title: 'Progress',
      width: '180px',
      cell: (job) => (
        <>
          <progress max={1} value={jobProgress(job)} aria-label={`Progress of ${job.subject}`} />
          {percent(jobProgress(job))}
        </>
      ),
    },
    {
      key: 'cancel',
      title: 'Action',
      width: '96px',
      cell: (job) =>
        job.status === 'pending' || job.status === 'running' ? (
          <button type="button" class="cell-button" onClick={() => void cancel(job)}>
            Cancel<span class="hidden"> the job of {seriesKey(job)}</span>
          </button>
        ) : null,
    },
    {
      key: 'range',
      title: 'From, to',
      width: '190px',
      cell: ({ start_ts, end_ts }) => `${dayOf(msOf(start_ts))} – ${dayOf(msOf(end_ts))}`,
    },
    {
      key: 'records',
      title: 'Records',
      width: '104px',
      isNumber: true,
      cell: ({ records_written }) => wholeNumber(records_written),
    },
    { key: 'target', title: 'Into', width: '84px', cell: ({ target }) => target },
    { key: 'updated', title: 'Changed', width: '120px', cell: ({ updated_at }) => <Time at={updated_at} /> },
    {
      key: 'error',
      title: 'Why it failed',
      width: 'minmax(160px, 2fr)',
      cell: ({ error }) => (
        <span class="cut fail" title={error ?? ''}>
          {error ?? ''}
        </span>
      ),
    },
  ]
}
