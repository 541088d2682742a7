export { connectModelRunner, type GrpcModelRunner } from './connect-model-runner.ts'
export type { ModelRunnerLimits, ModelRunnerOptions } from './runner-options.ts'
