export type { DiscoveryLimits } from './discovery-server.ts'
export { giveWay } from './lower-priority.ts'
export { type ModelEntry, type ModelsFile, parseModelsFile } from './models-file.ts'
export { OrchestratorError, type OrchestratorErrorCode } from './orchestrator-error.ts'
export { openOrchestratorKey, orchestratorKeyFileIn, readOrchestratorKey } from './orchestrator-key.ts'
export type { LogFields, OrchestratorLog } from './orchestrator-log.ts'
export type { RunnerCommand } from './prepared-submission.ts'
export type { PythonSettings } from './python-environments.ts'
export { endQuarantine } from './quarantine-memory.ts'
export { type LoggedLine, type ModelLogRequest, readModelLog } from './read-model-log.ts'
export type { RunFailureCode } from './run-failure.ts'
export type { LogLimits, RunLogLine } from './run-log.ts'
export { type Orchestrator, type OrchestratorSettings, startOrchestrator } from './start-orchestrator.ts'
export { inspectSubmission, type Submission, type SubmissionLanguage } from './submission.ts'
export {
  addSubmission,
  copySubmission,
  type NewSubmission,
  removeModel,
  type StoredModel,
  setDesiredState,
} from './submission-store.ts'
export type { ModelLifeState, ModelStatus, RestartLimits } from './supervised-model.ts'
