/** Every `Status.code` of a model runner; the gRPC status of these responses is OK. */
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

/** False for codes of newer or faulty runners, which count as a failure of the model. */
export function isModelStatusCode(code: string): code is ModelStatusCode {
  return (MODEL_STATUS_CODES as readonly string[]).includes(code)
}
