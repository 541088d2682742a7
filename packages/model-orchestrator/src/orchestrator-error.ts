/** What stops the orchestrator from starting, or makes it keep the models it has. */
export type OrchestratorErrorCode = 'ADDRESS_UNAVAILABLE' | 'MODELS_FILE_INVALID' | 'SETTINGS_INVALID'

/** A broken world around the orchestrator; the message names the place, the cause and the fix. */
export class OrchestratorError extends Error {
  override readonly name = 'OrchestratorError'
  readonly code: OrchestratorErrorCode

  constructor(code: OrchestratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
