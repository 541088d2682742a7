import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connectModelRunner, type GrpcModelRunner } from '@crunch/coordinator-node/internal'
import {
  type Orchestrator,
  type OrchestratorLog,
  type OrchestratorSettings,
  startOrchestrator,
} from '@crunch/model-orchestrator'
import type { Log } from '../engine.ts'
import { hostileCrunchId, listModels } from './hostile-models.ts'

/** An orchestrator with its limits, in a folder of its own. */
export interface HostileSite {
  readonly orchestrator: Orchestrator
  /** Where to list other models than those it was opened with. */
  readonly folder: { readonly modelsFile: string; readonly submissionsDirectory: string }
  close(): Promise<void>
}

/** With it the coordinator is in charge, as on a node. */
const orchestratorKey = 'key-of-the-hostile-site'

/** The runner as it is published: its source, which a workspace starts through tsx, takes three times as much to start. */
export function builtRunner(): NonNullable<OrchestratorSettings['runnerCommand']> {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('@crunch/model-orchestrator/package.json'))
  const bin = join(dirname(resolve('@crunch/model-runner/package.json')), 'dist', 'bin.js')
  if (!existsSync(bin))
    throw new Error(`${bin} is not there: build it with "npx turbo run build:js --filter @crunch/model-runner"`)
  return { command: process.execPath, args: [bin] }
}

/**
 * Starts so many good models. What counts failures has smaller limits than on a node, so that minutes are enough to see the
 * end; what one model may use, and how soon it is started again, is what a node gives it.
 */
export async function openHostileSite(
  goodCount: number,
  log: OrchestratorLog,
  settings: Pick<OrchestratorSettings, 'runnerCommand'> = {},
): Promise<HostileSite> {
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
    // Starting fifty processes is slow on few cores.
    startTimeoutMs: 60_000,
    restart: { maxQuickFailures: 3 },
    // A node waits 65 s before it decides that a silent model hangs, and then quarantines it at once. Calls take at most a second
    // here, so a shorter wait is safe and keeps the measurement short.
    probe: { busyMs: 10_000 },
    ...settings,
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

/** Connects as a node does, and gives a model up after fewer failures. */
export function connectHostile(port: number, log: Log): Promise<GrpcModelRunner> {
  return connectModelRunner({
    host: '127.0.0.1',
    port,
    crunchId: hostileCrunchId,
    baseClassName: 'tracker.TrackerBase',
    orchestratorKey: () => orchestratorKey,
    failureLimit: 10,
    timeoutLimit: 10,
    connectTimeoutMs: 3_000,
    setupTimeoutMs: 10_000,
    setupAttempts: 2,
    setupBackoffMs: 250,
    log,
  })
}
