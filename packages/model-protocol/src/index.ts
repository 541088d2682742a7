export { decodeResponse } from './decode-response.ts'
export * from './discovery.ts'
export { Argument, KwArgument, Status, Variant, VariantType } from './generated/commons.ts'
export {
  CallRequest,
  CallResponse,
  DynamicSubclassServiceClient,
  type DynamicSubclassServiceServer,
  DynamicSubclassServiceService,
  RestResponse,
  SetupRequest,
  SetupResponse,
} from './generated/dynamic_subclass.ts'
export { Empty } from './generated/google/protobuf/empty.ts'
export {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthClient,
  type HealthServer,
  HealthService,
} from './generated/health.ts'
export type { ValueLimits } from './json-size.ts'
export { parseLenientJson } from './lenient-json.ts'
export * from './limits.ts'
export * from './model-call.ts'
export * from './protocol-error.ts'
export * from './status.ts'
export { writeStrictJson } from './strict-json.ts'
export * from './variant.ts'
