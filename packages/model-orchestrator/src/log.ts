/** Values that a log line may carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** One line an event: a fixed message and fields. Never the output of a model, which has its own log. */
export interface OrchestratorLog {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}
