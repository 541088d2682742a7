import type { OrchestratorLog } from '../../log.ts'
import type { ModelStatus } from '../../run/supervised-model.ts'

/** What the routes need of the orchestrator. */
export interface ModelsApiContext {
  readonly crunchId: string
  readonly modelsFile: string
  readonly submissionsDirectory: string
  /** Absent: the models' output is not kept, and there are no logs to show. */
  readonly logsDirectory: string | undefined
  readonly models: () => readonly ModelStatus[]
  /** Tries a model again that was set aside. */
  readonly retry: (modelId: string) => void
  readonly log: OrchestratorLog
}
