/** Every `Status.code` of a model runner; the gRPC status of these responses is OK. */
export type ModelStatusCode =
  | 'SUCCESS'
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'BAD_IMPLEMENTATION'
  | 'SETUP_FAILED'
  | 'MODEL_FAILED'
  | 'UNKNOWN'
