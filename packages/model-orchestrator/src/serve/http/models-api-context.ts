import type { OrchestratorLog } from '../../log.ts'
import type { ModelStatus } from '../../run/supervised-model.ts'

/** The dependencies of the routes. */
export interface ModelsApiContext {
  readonly crunchId: string
  readonly modelsFile: string
  readonly submissionsDirectory: string
  /** The folder of the models' logs; absent if logs are not kept. */
  readonly logsDirectory: string | undefined
  readonly models: () => readonly ModelStatus[]
  /** Starts a quarantined model again. */
  readonly retry: (modelId: string) => void
  readonly log: OrchestratorLog
}
