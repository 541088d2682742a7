import type { Rehearsal, RehearsedCall } from '../engine.ts'
import type { OutputLine } from './read-model-output.ts'
import { valueText } from './value-text.ts'

/** One thing that a node does with a model, and what came of it. */
export interface TestedStep {
  /** `start`, `setup`, or the method that was called, with its arguments as text. */
  readonly name: string
  readonly outcome: 'ok' | 'failed' | 'absent'
  /** `null` when it was not measured, or nothing was called. */
  readonly durationMs: number | null
  /** The answer as a node reads it, or the reason with its details. */
  readonly text: string
}

/** What came of trying a model out. */
export interface ModelTestReport {
  readonly model: string
  readonly steps: readonly TestedStep[]
  /** What a node would store, one entry a round of the instant. */
  readonly recorded: readonly {
    readonly at: string
    readonly subject: string
    readonly status: string
    readonly output: unknown
    readonly reason: string | null
    readonly detail: string | null
  }[]
  /** All rounds have an answer that counts. */
  readonly isRanked: boolean
  /** What was said about its preparation, such as what of a notebook was left out. */
  readonly prepared: readonly string[]
  /** What the model printed: to stdout, and to stderr, where its stacks are. */
  readonly printed: readonly string[]
  readonly stderr: readonly string[]
}

/** More would be no help. */
const maxTextLength = 500
const maxPrintedLines = 40

/** What a rehearsal says of its one model. */
export function rehearsedReport(input: {
  readonly model: string
  readonly steps: readonly TestedStep[]
  readonly rehearsal: Rehearsal
  readonly output: readonly OutputLine[]
}): ModelTestReport {
  const { model, rehearsal, output } = input
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
    isRanked: recorded.every(({ status }) => status === 'PENDING'),
    ...printedBy(output),
  }
}

/** The report of a model that could not even be called. */
export function failedReport(input: {
  readonly model: string
  readonly steps: readonly TestedStep[]
  readonly output: readonly OutputLine[]
}): ModelTestReport {
  return { model: input.model, steps: input.steps, recorded: [], isRanked: false, ...printedBy(input.output) }
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
  // Whoever waits for an installation is shown it meanwhile, and its last lines come with its failure.
  const prepared = (installing === -1 ? built : built.slice(0, installing)).slice(0, maxPrintedLines)
  return { prepared, printed: texts(false), stderr: texts(true) }
}

/** What the runner says of itself, and the frames of a stack that lie in it, below the model. */
const isRunnersOwn = /^\{"event":"ready"|^\s+at .*(model-runner|model-protocol|@grpc|node:internal|node:)\S*/

function cut(text: string, limit = maxTextLength): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
