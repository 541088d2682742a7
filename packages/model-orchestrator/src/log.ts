/** Values that a log line may carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** One line per event: a fixed message and fields. The output of models goes to separate logs. */
export interface OrchestratorLog {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}
