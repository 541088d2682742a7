import type { AnswerOf } from '@crunch/coordinator-node/client'
import type { ComponentChildren } from 'preact'
import { Link } from 'wouter-preact'
import { node } from '../data/node.ts'
import { useResource } from '../data/resource.ts'
import { useModels } from '../data/resources.ts'
import { useUrlState } from '../data/url-state.ts'
import { counted, fullNumber, shortNumber } from '../format/numbers.ts'
import { duration, msOf } from '../format/times.ts'
import { columnName, scoreKinds, wordOf } from '../format/words.ts'
import { Age } from './age.tsx'
import { AnswerState, answerReason } from './answer-state.tsx'
import { Drawer } from './drawer.tsx'
import { Json } from './json.tsx'
import { Loaded } from './panel.tsx'
import { StateMark } from './state-mark.tsx'
import { Countdown, Instant } from './time.tsx'
import './trace.css'

type Trace = AnswerOf<'get', '/reports/predictions/{prediction_id}/trace'>

/** The history of the prediction that the address names as `prediction`; nothing while it names none. */
export function TraceDrawer() {
  const [{ prediction }, change] = useUrlState()
  if (prediction === undefined) return null
  return <OpenTrace key={prediction} id={prediction} close={() => change({ prediction: null })} />
}

function OpenTrace({ id, close }: { readonly id: string; readonly close: () => void }) {
  const trace = useTrace(id)
  const modelId = trace.data.value?.model_id
  const model = useModels().data.value?.find(({ model_id }) => model_id === modelId)
  const name = model?.model_name ?? modelId
  return (
    <Drawer title={name === undefined ? 'One answer' : `Answer of ${name}`} close={close}>
      <Age resource={trace} />
      <Loaded resource={trace}>{(data) => <Steps trace={data} />}</Loaded>
    </Drawer>
  )
}

/** It changes when its round is answered or settled. */
function useTrace(id: string) {
  const read = (signal: AbortSignal) =>
    node.get('/reports/predictions/{prediction_id}/trace', { params: { prediction_id: id }, signal })
  return useResource(`trace:${id}`, read, {
    topics: ['rounds', 'leaderboard', 'checkpoints'],
    apply: (event, topic, current) =>
      topic === 'rounds' && (event as { readonly id: string }).id !== current.round_id ? current : undefined,
  })
}

function Steps({ trace }: { readonly trace: Trace }) {
  return (
    <ol class="trace">
      <Asked trace={trace} />
      <Answered trace={trace} />
      <Truth trace={trace} />
      <Scored trace={trace} />
      <Counted trace={trace} />
    </ol>
  )
}

interface StepProps {
  readonly title: string
  readonly at?: string | null
  readonly children: ComponentChildren
}

function Step({ title, at, children }: StepProps) {
  return (
    <li>
      <div class="panel-head">
        <h3>{title}</h3>
        {at === undefined || at === null ? null : (
          <span class="small quiet">
            <Instant at={at} />
          </span>
        )}
      </div>
      {children}
    </li>
  )
}

function Asked({ trace: { input, round_id } }: { readonly trace: Trace }) {
  const newest = input.records.at(-1)
  return (
    <Step title="Asked" at={input.performed_at}>
      <p>
        {input.subject} {input.kind} {input.granularity} of {input.source}, in{' '}
        <Link href={`/rounds/${encodeURIComponent(round_id)}`}>round {round_id}</Link>
      </p>
      {newest === undefined ? (
        <p class="quiet">The records of the input are no longer stored.</p>
      ) : (
        <p>
          {counted(input.records.length, 'record')} in the input; the newest was known{' '}
          {duration(msOf(input.performed_at) - msOf(newest.ts_known))} before, and arrived{' '}
          {duration(msOf(newest.ts_ingested) - msOf(newest.ts_known))} after it was known.
        </p>
      )}
      <Json value={input.value} label="What the models were given" isClosed />
    </Step>
  )
}

function Answered({ trace: { answer } }: { readonly trace: Trace }) {
  const reason = answerReason(answer)
  return (
    <Step title="Answered" at={answer.stored_at}>
      <p class="row">
        <AnswerState status={answer.status} blame={answer.blame} />
        {answer.duration_ms === null ? null : <span>after {shortNumber(answer.duration_ms)} ms</span>}
      </p>
      {reason === '' ? null : <p>{reason}.</p>}
      {answer.detail === null ? null : <Json value={answer.detail} label="The reason in words" />}
      {answer.hidden_until !== null ? (
        <p>
          Hidden from others until the truth is known, in about <Countdown to={answer.hidden_until} />. The owner sees
          it with a key.
        </p>
      ) : answer.output === null ? null : (
        <Json value={answer.output} label="The answer" />
      )}
    </Step>
  )
}

function Truth({ trace: { truth } }: { readonly trace: Trace }) {
  const isOpen = truth.value === null && truth.void_reason === null
  return (
    <Step title="Truth" at={truth.resolvable_at}>
      {truth.void_reason !== null ? (
        <p>
          <StateMark mood="warn" word="void" /> The round counts for no model: {truth.void_reason}
        </p>
      ) : isOpen ? (
        <p>
          It can be known in <Countdown to={truth.resolvable_at} />. The round is void if it is not known by{' '}
          <Instant at={truth.expires_at} />.
        </p>
      ) : (
        <Json value={truth.value} label="The truth" />
      )}
    </Step>
  )
}

function Scored({ trace: { score, truth } }: { readonly trace: Trace }) {
  if (score === null) {
    return (
      <Step title="Score">
        <p class="quiet">{truth.void_reason === null ? 'It is computed once the truth is known.' : 'There is none.'}</p>
      </Step>
    )
  }
  return (
    <Step title="Score" at={score.scored_at}>
      <p>
        {wordOf(scoreKinds, score.kind)}
        {score.reason === null ? '' : `: ${score.reason}`}
        {score.contract_version === null ? '' : `, by version ${score.contract_version} of the contract`}
      </p>
      {score.value === null ? null : (
        <dl class="facts">
          {Object.entries(score.value).map(([name, value]) => (
            <div key={name}>
              <dt>{columnName(name)}</dt>
              <dd title={typeof value === 'number' ? fullNumber(value) : undefined}>
                {typeof value === 'number' ? shortNumber(value) : JSON.stringify(value)}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Step>
  )
}

function Counted({ trace: { truth, snapshot, leaderboard, checkpoint_id } }: { readonly trace: Trace }) {
  if (truth.void_reason !== null) return null
  return (
    <Step title="Counted in" at={leaderboard?.as_of ?? null}>
      {snapshot === null ? (
        <p class="quiet">No period yet: it counts when the period of its truth closes.</p>
      ) : (
        <p>
          the period from <Instant at={snapshot.period_start} /> to <Instant at={snapshot.period_end} />
          {leaderboard === null
            ? ', of which no leaderboard is stored yet'
            : leaderboard.rank === null
              ? ', after which the model had no rank'
              : `, after which the model had rank ${leaderboard.rank}`}
        </p>
      )}
      {checkpoint_id === null ? (
        <p class="quiet">No closed checkpoint yet.</p>
      ) : (
        <p>
          <Link href={`/checkpoints/${encodeURIComponent(checkpoint_id)}`}>checkpoint {checkpoint_id}</Link>
        </p>
      )}
    </Step>
  )
}
