import { printable } from '@crunch/local-processes'
import { type LoggedLine, OrchestratorError, readModelLog } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'

const emitterNames: Readonly<Record<LoggedLine['emitter'], string>> = {
  'user-code': 'model',
  builder: 'builder',
  service: 'runner',
}

/** Which lines of a model's log are wanted. */
export interface RunLogRequest {
  readonly logsDirectory: string
  readonly modelId: string
  /** A run; the newest unless given. */
  readonly deploymentId?: string
  /** How many of its newest lines. */
  readonly lines: number
  /** Goes on with what is written later, also by later runs, until `signal` aborts. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/**
 * The lines of one run of a model, the oldest first.
 * @throws CliError when it has never left a log.
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

/** A line for people: time, who says it and where, and the text with nothing in it that steers a terminal. */
export function formatRunLine({ timestamp, emitter, error, message }: LoggedLine): string {
  const at = timestamp.slice(11, 23)
  // Programs print to stderr what is no error at all.
  return `${at} ${emitterNames[emitter].padEnd(7)} ${error ? 'err' : 'out'} ${printable(message)}`
}
