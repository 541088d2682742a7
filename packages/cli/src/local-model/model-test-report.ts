import type { Rehearsal, RehearsedCall } from '../engine.ts'
import type { OutputLine } from './read-model-output.ts'
import { valueText } from './value-text.ts'

/** One step of a node with a model, and its result. */
export interface TestedStep {
  /** `start`, `setup`, or the method that was called, with its arguments as text. */
  readonly name: string
  readonly outcome: 'ok' | 'failed' | 'absent'
  /** `null` if it was not measured, or there was no call. */
  readonly durationMs: number | null
  /** The answer as a node reads it, or the reason with its details. */
  readonly text: string
}

/** The result of `crunch models test`. */
export interface ModelTestReport {
  readonly model: string
  readonly steps: readonly TestedStep[]
  /** The rows that a node would store, one per round of the instant. */
  readonly recorded: readonly {
    readonly at: string
    readonly subject: string
    readonly status: string
    readonly output: unknown
    readonly reason: string | null
    readonly detail: string | null
  }[]
  /** The scores of the answers. */
  readonly scores: readonly {
    readonly at: string
    readonly subject: string
    readonly kind: string
    readonly value: unknown
    readonly reason: string | null
  }[]
  /** Why a round has no score, although the model is not to blame; `null` if all rounds have one. */
  readonly unscored: string | null
  /** Why the contract refused a truth or a score, with file and line; `null` if it refused none. */
  readonly failure: string | null
  /** Every round has a valid answer. */
  readonly isRanked: boolean
  /** Messages about the preparation, e.g. the parts of a notebook that were left out. */
  readonly prepared: readonly string[]
  /** The model's output on stdout and on stderr; stderr contains stack traces. */
  readonly printed: readonly string[]
  readonly stderr: readonly string[]
}

/** Longer values would make the report unreadable. */
const maxTextLength = 500
const maxPrintedLines = 40

/** Makes the report from a rehearsal with one model. */
export function rehearsedReport(input: {
  readonly model: string
  readonly steps: readonly TestedStep[]
  readonly rehearsal: Rehearsal
  readonly output: readonly OutputLine[]
}): ModelTestReport {
  const { model, rehearsal, output } = input
  const { scored, refusal, unscoredReason } = rehearsal.verdict ?? endsBefore
  const recorded = rehearsal.recorded.map(({ round, prediction }) => ({
    at: new Date(round.performedAt).toISOString(),
    subject: round.scope.subject,
    status: prediction.status,
    output: prediction.output,
    reason: prediction.reason,
    detail: prediction.detail,
  }))
  return {
    model,
    steps: [...input.steps, ...rehearsal.calls.map(callStep)],
    recorded,
    scores: scored.map(({ round, score }) => ({
      at: new Date(round.performedAt).toISOString(),
      subject: round.scope.subject,
      kind: score.kind,
      value: score.value,
      reason: score.reason,
    })),
    unscored: unscoredReason,
    failure: refusal,
    isRanked: recorded.every(({ status }) => status === 'PENDING'),
    ...printedBy(output),
  }
}

const endsBefore = { scored: [], refusal: null, unscoredReason: 'the recording ends before the horizon of the round' }
const unscored = { scores: [], unscored: null, failure: null }

/** The report of a model that could not be called. */
export function failedReport(input: {
  readonly model: string
  readonly steps: readonly TestedStep[]
  readonly output: readonly OutputLine[]
}): ModelTestReport {
  return {
    model: input.model,
    steps: input.steps,
    recorded: [],
    ...unscored,
    isRanked: false,
    ...printedBy(input.output),
  }
}

function callStep({ call, answer }: RehearsedCall): TestedStep {
  const values = call.arguments.map(({ value }) => cut(valueText(value), 60))
  const name = `${call.method}(${values.join(', ')})`
  const { durationMs } = answer
  if (answer.status === 'answered') return { name, outcome: 'ok', durationMs, text: cut(valueText(answer.output)) }
  return { name, outcome: answer.status, durationMs, text: cut(`${answer.reason}: ${answer.detail}`) }
}

function printedBy(output: readonly OutputLine[]): Pick<ModelTestReport, 'prepared' | 'printed' | 'stderr'> {
  const own = output.filter(({ emitter, message }) => emitter === 'user-code' && !isRunnersOwn.test(message))
  const built = output.filter(({ emitter }) => emitter === 'builder').map(({ message }) => message)
  const installing = built.findIndex((message) => message.startsWith('$ '))
  const texts = (isError: boolean) =>
    own
      .filter(({ error }) => error === isError)
      .map(({ message }) => message)
      .slice(0, maxPrintedLines)
  // Output of an installation is left out: it was shown while it ran, and a failure contains its last lines.
  const prepared = (installing === -1 ? built : built.slice(0, installing)).slice(0, maxPrintedLines)
  return { prepared, printed: texts(false), stderr: texts(true) }
}

/** Recognises messages of the runner itself, and stack frames in its code. */
const isRunnersOwn = /^\{"event":"ready"|^\s+at .*(model-runner|model-protocol|@grpc|node:internal|node:)\S*/

function cut(text: string, limit = maxTextLength): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
