import type { AnswerOf } from '@crunch/coordinator-node/client'
import { useRef } from 'preact/hooks'
import { accessKey, node } from '../../data/node.ts'
import { useResource } from '../../data/resource.ts'
import { useUrlState } from '../../data/url-state.ts'
import { Panel } from '../../parts/panel.tsx'
import { type Mood, StateMark } from '../../parts/state-mark.tsx'
import { Instant } from '../../parts/time.tsx'

type Line = AnswerOf<'get', '/reports/services/logs'>['lines'][number]
type Level = NonNullable<Line['level']>

const moods: Readonly<Record<Level, Mood>> = { debug: 'quiet', info: 'ok', warn: 'warn', error: 'fail' }
const levels = Object.keys(moods) as readonly Level[]
const lineCount = 200
/** The node refuses a longer search. */
const maxSearchLength = 200

/** What the services logged, for admins. */
export function ServiceLogs() {
  if (accessKey.value !== '') return <LogPanel />
  return (
    <p class="quiet small">
      With the key of an admin this page also shows what each service logged: use “Key” above. On the node's machine,
      crunch logs shows it without a key.
    </p>
  )
}

function LogPanel() {
  const [state, change] = useUrlState()
  const { service = '', q = '' } = state
  const level = levels.find((one) => one === state.level)
  const query = {
    ...(service !== '' && { service }),
    ...(level !== undefined && { level }),
    ...(q !== '' && { q }),
    limit: lineCount,
  }
  const read = (signal: AbortSignal) => node.get('/reports/services/logs', { query, signal })
  const logs = useResource(`service logs ${JSON.stringify(query)}`, read, { everyMs: 5_000 })
  // Those of the last answer stay while another choice loads.
  const known = useRef<readonly string[]>([])
  known.current = logs.data.value?.services ?? known.current
  const found = known.current
  // The address can name a service without a log: the panel says so, and the choice shows what is asked for.
  const services = service === '' || found.includes(service) ? found : [service, ...found]
  const tools = (
    <>
      <Choice label="Service" name="service" value={service} options={services} />
      <Choice label="Level" name="level" value={level ?? ''} options={levels} />
      <label>
        <span class="hidden">Search the logs</span>
        <input
          type="search"
          placeholder="Text, then Enter"
          maxLength={maxSearchLength}
          // Not `value`: the panel is rendered every few seconds, and would take back what is being typed.
          defaultValue={q}
          onChange={(event) => change({ q: event.currentTarget.value })}
          // The button of the field that clears it.
          onInput={({ currentTarget }) => currentTarget.value === '' && change({ q: null })}
        />
      </label>
    </>
  )
  return (
    <Panel title="What the services logged" resource={logs} tools={tools}>
      {({ lines }) => (lines.length === 0 ? <NoLines /> : <LogTable lines={lines} />)}
    </Panel>
  )
}

interface ChoiceProps {
  readonly label: string
  /** In the address. */
  readonly name: string
  readonly value: string
  readonly options: readonly string[]
}

function Choice({ label, name, value, options }: ChoiceProps) {
  const [, change] = useUrlState()
  return (
    <label class="row">
      {label}
      <select value={value} onChange={(event) => change({ [name]: event.currentTarget.value })}>
        <option value="">all</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  )
}

function NoLines() {
  return <p class="quiet">No line in the last MiB of each log matches. crunch logs shows older ones.</p>
}

function LogTable({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <div class="service-logs" role="region" aria-label="Lines of the logs" tabIndex={0}>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Level</th>
            <th scope="col">Service</th>
            <th scope="col">Text</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ service, time, level, text }, index) => (
            // Two lines can be equal.
            <tr key={index}>
              <td>
                <Instant at={time} />
              </td>
              <td>{level === null ? null : <StateMark mood={moods[level]} word={level} />}</td>
              <td>{service}</td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
