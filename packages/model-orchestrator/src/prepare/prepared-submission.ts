import type { SubmissionLanguage } from '../submission/submission.ts'

/** How a runner is started: the arguments for a submission are appended. */
export interface RunnerCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** What a launch needs; the runner's address is appended to `args`. */
export interface PreparedSubmission {
  readonly language: SubmissionLanguage
  /** The folder of the code, and the working directory. For a notebook it is not the submission's own folder. */
  readonly directory: string
  readonly command: string
  readonly args: readonly string[]
  /** Names that the process gets on top of `modelEnvironment`. */
  readonly environment: Readonly<Record<string, string>>
  /** What it must be able to read beside `directory` and the programs of the machine. */
  readonly readableDirectories: readonly string[]
}
