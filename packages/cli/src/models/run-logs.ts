import { printable } from '@crunch/local-processes'
import { type LoggedLine, OrchestratorError, readModelLog } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'

const emitterNames: Readonly<Record<LoggedLine['emitter'], string>> = {
  'user-code': 'model',
  builder: 'builder',
  service: 'runner',
}

/** Which lines of a model's log to read. */
export interface RunLogRequest {
  readonly logsDirectory: string
  readonly modelId: string
  /** Default: the newest run. */
  readonly deploymentId?: string
  /** Number of the newest lines. */
  readonly lines: number
  /** Continue with new lines, also of later runs, until `signal` aborts. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * The log lines of one run of a model, oldest first.
 * @throws CliError if the model has no log.
 */
export async function* readRunLog(request: RunLogRequest): AsyncGenerator<LoggedLine, void> {
  try {
    yield* readModelLog(request)
  } catch (error) {
    if (!(error instanceof OrchestratorError) || error.code !== 'LOG_UNKNOWN') throw error
    const cause = 'it has no log: it was never started here'
    const fix = 'start it with: crunch deploy, and crunch models start'
    throw new CliError({ place: `model ${request.modelId}`, cause, fix }, { cause: error })
  }
}

/** A line for people: time, emitter, stream and text, with control characters escaped. */
export function formatRunLine({ timestamp, emitter, error, message }: LoggedLine): string {
  const at = timestamp.slice(11, 23)
  // Named `err` rather than an error: programs also print other messages to stderr.
  return `${at} ${emitterNames[emitter].padEnd(7)} ${error ? 'err' : 'out'} ${printable(message)}`
}
