export { OrchestratorError, type OrchestratorErrorCode } from './errors.ts'
export { giveWay } from './limit/lower-priority.ts'
export type { LogFields, OrchestratorLog } from './log.ts'
export { type LoggedLine, type ModelLogRequest, readModelLog } from './logs/read-model-log.ts'
export type { LogLimits, RunLogLine } from './logs/run-log.ts'
export { type ModelEntry, type ModelsFile, parseModelsFile } from './models-file/models-file.ts'
export type { RunnerCommand } from './prepare/prepared-submission.ts'
export type { PythonSettings } from './prepare/python/python-environments.ts'
export { endQuarantine } from './run/quarantine-memory.ts'
export type { ModelLifeState, ModelStatus, RestartLimits } from './run/supervised-model.ts'
export type { RunFailureCode } from './run-failure.ts'
export type { DiscoveryLimits } from './serve/discovery/discovery-server.ts'
export { openOrchestratorKey, orchestratorKeyFileIn, readOrchestratorKey } from './settings/orchestrator-key.ts'
export { type Orchestrator, type OrchestratorSettings, startOrchestrator } from './start-orchestrator.ts'
export { inspectSubmission, type Submission, type SubmissionLanguage } from './submission/submission.ts'
export {
  addSubmission,
  copySubmission,
  type NewSubmission,
  removeModel,
  type StoredModel,
  setDesiredState,
  sourceName,
  toModelName,
} from './submission/submission-store.ts'
