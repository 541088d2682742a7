import { ExpectedError, isExpectedError } from '@crunch/local-processes/errors'
import type { Terminal } from './terminal/terminal.ts'

/** A failure that the user can fix. */
export interface CliProblem {
  /** A file, a setting, a port or a service. */
  readonly place: string
  readonly cause: string
  readonly fix: string
}

export function formatProblem({ place, cause, fix }: CliProblem): string {
  return `${place}: ${cause}\n  fix: ${fix}`
}

/** An expected failure: shown as place, cause and fix, without a stack. */
export class CliError extends ExpectedError {
  override readonly name = 'CliError'
  readonly code: string = 'COMMAND_FAILED'
  readonly problem: CliProblem

  constructor(problem: CliProblem, options?: { readonly cause?: unknown }) {
    super(formatProblem(problem), options)
    this.problem = problem
  }
}

/** Ends a command with exit code 1. The command has already printed the reason. */
export class ReportedFailure extends Error {
  override readonly name = 'ReportedFailure'
}

/** The text for a failed command: the message of an expected failure, the full stack of a bug or with `verbose`. */
export function describeError(error: unknown, verbose: boolean): string {
  if (!(error instanceof Error)) return `a non-error value was thrown: ${String(error)}`
  if (isExpectedError(error) && !verbose) return error.message
  const causes: string[] = []
  for (let cause = error.cause; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    causes.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
    if (causes.length === 5) break
  }
  return [error.stack ?? error.message, ...causes.map((text) => `caused by: ${text}`)].join('\n')
}

/** Fails if the simulation has no predictions or no scores: then the competition does not work. */
export function failWith(failure: string | null, terminal: Pick<Terminal, 'err'>): void {
  if (failure === null) return
  terminal.err(`error: ${failure}`)
  throw new ReportedFailure(failure)
}
