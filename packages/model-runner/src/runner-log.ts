/** From the least to the most verbose level; the names are those of the deployed runner. */
export const LOG_LEVELS = ['critical', 'error', 'warning', 'info', 'debug'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** Writes one entry of the runner's log, which only the operator and the participant see. */
export type RunnerLog = (level: LogLevel, text: string) => void

/** Lines as the deployed runner writes them, `LEVEL    - text`, on stderr. */
export function createStderrLog(threshold: LogLevel): RunnerLog {
  return (level, text) => {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(threshold)) return
    process.stderr.write(`${level.toUpperCase().padEnd(8)} - ${text}\n`)
  }
}
