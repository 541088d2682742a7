/**
 * Runs the workers of a node in your own process. `crunch deploy` does it for you.
 *
 * @packageDocumentation
 */

export type { CustomRoutes } from './live/custom-routes.ts'
export { loadContract } from './live/load-contract.ts'
export { createLog } from './live/log.ts'
export { readSettings, type Settings } from './live/settings.ts'
export { type RunWorkersOptions, runWorkers } from './live/workers/run-workers.ts'
export { type WorkerName, workerNames } from './live/workers/worker-context.ts'
