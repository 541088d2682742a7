export { connectModelRunner, type GrpcModelRunner } from './connect-model-runner.ts'
export { readModelCredentials } from './security/model-credentials.ts'
