export { connectModelRunner, type GrpcModelRunner } from './connect-model-runner.ts'
