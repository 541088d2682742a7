import { ReportError } from '@crunch/coordinator-node/client'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { competitionNow } from '../../data/competition-time.ts'
import { failureOf, node } from '../../data/node.ts'
import type { Scope } from '../../data/records.ts'
import { KeyForm } from '../../parts/key-form.tsx'
import type { Feed } from './feed-names.ts'
import '../../parts/dialog.css'

interface BackfillFormProps {
  readonly feeds: readonly Feed[]
  readonly close: () => void
  readonly done: () => void
}

type Fields = Readonly<Record<keyof Scope | 'start' | 'end', string>> & { readonly target: 'parquet' | 'tables' }

/** What the node says about a field, and about the request as a whole, which has the name `''`. */
type Problems = Readonly<Record<string, string>>

const dayMs = 86_400_000

/** Asks the node for the past of a series. What the node refuses is said at the field. */
export function BackfillForm({ feeds, close, done }: BackfillFormProps) {
  const [problems, setProblems] = useState<Problems>({})
  const [needsKey, setNeedsKey] = useState(false)
  const [isSending, setSending] = useState(false)
  const [first] = feeds
  const now = competitionNow.peek()

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Fields
    setSending(true)
    setProblems({})
    try {
      await node.post('/reports/backfill', { body: bodyOf(fields) })
      done()
    } catch (error) {
      setProblems(problemsOf(error))
      setNeedsKey(error instanceof ReportError && (error.status === 401 || error.status === 403))
      setSending(false)
    }
  }

  return (
    <>
      <form class="backfill-form" onSubmit={submit} aria-label="Fetch the past of a series">
        <SeriesFields first={first} feeds={feeds} problems={problems} />
        <Field name="start" label="From (UTC)" problems={problems}>
          <input
            id="backfill-start"
            name="start"
            type="datetime-local"
            required
            defaultValue={minuteText(now - 30 * dayMs)}
          />
        </Field>
        <Field name="end" label="To (UTC)" problems={problems}>
          <input id="backfill-end" name="end" type="datetime-local" required defaultValue={minuteText(now)} />
        </Field>
        <Field name="target" label="Into" problems={problems}>
          <select id="backfill-target" name="target">
            <option value="parquet">Parquet files, for participants</option>
            <option value="tables">the tables of the node</option>
          </select>
        </Field>
        <div class="row">
          <button type="submit" class="primary" disabled={isSending}>
            {isSending ? 'Sending' : 'Fetch'}
          </button>
          <button type="button" onClick={close}>
            Close
          </button>
        </div>
      </form>
      {problems[''] === undefined ? null : (
        <p class="failure" role="alert">
          {problems['']}
        </p>
      )}
      {needsKey ? <KeyForm /> : null}
    </>
  )
}

interface SeriesFieldsProps {
  readonly first: Feed | undefined
  readonly feeds: readonly Feed[]
  readonly problems: Problems
}

/** The four parts of a series, with those of the known ones to choose from. */
function SeriesFields({ first, feeds, problems }: SeriesFieldsProps) {
  const parts = [
    ['source', 'Source'],
    ['subject', 'Subject'],
    ['kind', 'Kind'],
    ['granularity', 'Granularity'],
  ] as const
  return parts.map(([name, label]) => (
    <Field key={name} name={name} label={label} problems={problems}>
      <input
        id={`backfill-${name}`}
        name={name}
        required
        autocomplete="off"
        list={`backfill-known-${name}`}
        defaultValue={first?.[name] ?? ''}
        aria-invalid={problems[name] !== undefined}
        aria-describedby={`backfill-${name}-problem`}
      />
      <datalist id={`backfill-known-${name}`}>
        {[...new Set(feeds.map((feed) => feed[name]))].map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </Field>
  ))
}

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly problems: Problems
  readonly children: ComponentChildren
}

function Field({ name, label, problems, children }: FieldProps) {
  return (
    <div class="field">
      <label for={`backfill-${name}`}>{label}</label>
      {children}
      <p class="fail small" id={`backfill-${name}-problem`} role="alert">
        {problems[name] ?? ''}
      </p>
    </div>
  )
}

function bodyOf({ source, subject, kind, granularity, start, end, target }: Fields) {
  return {
    ...{ source: source.trim(), subject: subject.trim(), kind: kind.trim(), granularity: granularity.trim() },
    ...{ start: `${start}Z`, end: `${end}Z`, target },
  }
}

function problemsOf(error: unknown): Problems {
  const fieldErrors = error instanceof ReportError ? error.fieldErrors : []
  const known = ['source', 'subject', 'kind', 'granularity', 'start', 'end', 'target']
  const atFields = fieldErrors.filter(({ property }) => known.includes(property))
  if (atFields.length === 0) return { '': failureOf(error).text }
  return Object.fromEntries(atFields.map(({ property, message }) => [property, message]))
}

/** `2026-03-01T10:20`, as a field for a time wants it. */
function minuteText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16)
}
