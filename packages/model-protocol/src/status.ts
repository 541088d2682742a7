/** Every `Status.code` that a model runner answers with, while the gRPC status itself stays OK. */
export const MODEL_STATUS_CODES = [
  'SUCCESS',
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'BAD_IMPLEMENTATION',
  'SETUP_FAILED',
  'MODEL_FAILED',
  'UNKNOWN',
] as const

export type ModelStatusCode = (typeof MODEL_STATUS_CODES)[number]

/** False for the codes of newer or broken runners, which count as a failure of the model. */
export function isModelStatusCode(code: string): code is ModelStatusCode {
  return (MODEL_STATUS_CODES as readonly string[]).includes(code)
}
