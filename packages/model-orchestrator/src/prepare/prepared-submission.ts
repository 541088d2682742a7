import type { SubmissionLanguage } from '../submission/submission.ts'

/** How a runner is started: the arguments for a submission are appended. */
export interface RunnerCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** How to launch a prepared submission; the runner's address is appended to `args`. */
export interface PreparedSubmission {
  readonly language: SubmissionLanguage
  /** The folder of the code, or of the extracted notebook; also the working directory. */
  readonly directory: string
  readonly command: string
  readonly args: readonly string[]
  /** Environment variables in addition to `modelEnvironment`. */
  readonly environment: Readonly<Record<string, string>>
  /** Folders that it must be able to read, besides `directory` and the system's programs. */
  readonly readableDirectories: readonly string[]
}
