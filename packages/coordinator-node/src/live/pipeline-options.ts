import type { PipelineOptions } from '../pipeline.ts'
import { clockToleranceMs } from './settings.ts'
import type { WorkerContext } from './workers/worker-context.ts'

/** Pipeline options from the entered era and the settings. */
export function pipelineOptions({ settings, era }: Pick<WorkerContext, 'settings' | 'era'>): PipelineOptions {
  const seconds = settings.MODEL_RUNNER_TIMEOUT_SECONDS
  return {
    era,
    organizerCruncherId: settings.ORGANIZER_CRUNCHER_ID,
    clockToleranceMs: clockToleranceMs(settings),
    ...(seconds !== undefined && { timeoutMs: seconds * 1_000 }),
  }
}
