import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectModelRunner, type GrpcModelRunner } from '@crunch/coordinator-node/internal'
import { type Orchestrator, type OrchestratorLog, startOrchestrator } from '@crunch/model-orchestrator'
import type { Log } from '../engine.ts'
import { hostileCrunchId, listModels } from './hostile-models.ts'

/** An orchestrator with its limits, in its own folder. */
export interface HostileSite {
  readonly orchestrator: Orchestrator
  /** The models file, to change the list of models. */
  readonly folder: { readonly modelsFile: string; readonly submissionsDirectory: string }
  close(): Promise<void>
}

/** The key that identifies the coordinator in charge, as on a node. */
const orchestratorKey = 'key-of-the-hostile-site'

/**
 * Starts a number of good models. Failure limits are smaller than on a node, so that minutes suffice; resource limits and
 * restart delays are those of a node.
 */
export async function openHostileSite(goodCount: number, log: OrchestratorLog): Promise<HostileSite> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'crunch-hostile-')))
  const folder = {
    submissionsDirectory: join(directory, 'submissions'),
    modelsFile: join(directory, 'models.dev.yml'),
  }
  await mkdir(folder.submissionsDirectory)
  await listModels(folder, { goodCount })
  const orchestrator = await startOrchestrator({
    crunchId: hostileCrunchId,
    ...folder,
    logsDirectory: join(directory, 'logs'),
    baseClassName: 'tracker.TrackerBase',
    apiKey: orchestratorKey,
    log,
    port: 0,
    pollMs: 100,
    // Starting fifty processes takes long on few cores.
    startTimeoutMs: 60_000,
    restart: { maxQuickFailures: 3 },
    // A node waits 65 s before it decides that a silent model hangs, and then quarantines it at once. Calls take at most a second
    // here, so a shorter wait is safe and keeps the measurement short.
    probe: { busyMs: 10_000 },
  })
  await orchestrator.settled()
  return {
    orchestrator,
    folder,
    async close() {
      await orchestrator.close()
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Connects like a node, but gives models up after fewer failures and time-outs: 10 each unless another limit is given. */
export function connectHostile(port: number, log: Log, failureLimit = 10): Promise<GrpcModelRunner> {
  return connectModelRunner({
    host: '127.0.0.1',
    port,
    crunchId: hostileCrunchId,
    baseClassName: 'tracker.TrackerBase',
    orchestratorKey: () => orchestratorKey,
    failureLimit,
    timeoutLimit: failureLimit,
    connectTimeoutMs: 3_000,
    setupTimeoutMs: 10_000,
    setupAttempts: 2,
    setupBackoffMs: 250,
    log,
  })
}
