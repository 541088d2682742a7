import { afterEach, beforeEach } from 'vitest'
import { type Orchestrator, type OrchestratorSettings, startOrchestrator } from '../src/start-orchestrator.ts'
import { connectDiscovery, createWorkspace, rememberingLog, STAND_IN } from './workspace.ts'

export type Workspace = Awaited<ReturnType<typeof createWorkspace>>

/** Creates a workspace for each test of the file. After the test, `cleanups` run, the newest first. */
export function useWorkspace() {
  const space = {} as Workspace
  const cleanups: (() => unknown)[] = []
  beforeEach(async () => {
    Object.assign(space, await createWorkspace())
    const { remove } = space
    cleanups.push(remove)
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  return {
    space,
    cleanups,
    async start(settings?: Partial<OrchestratorSettings>): Promise<Orchestrator> {
      const orchestrator = await startInWorkspace(space, settings)
      cleanups.push(() => orchestrator.close())
      return orchestrator
    },
    async connect(...args: Parameters<typeof connectDiscovery>) {
      const coordinator = await connectDiscovery(...args)
      cleanups.push(() => coordinator.close())
      return coordinator
    },
  }
}

/** Starts an orchestrator for the models of the workspace, on a free port, with a runner that starts quickly. */
export function startInWorkspace(
  { modelsFile, submissions, logs }: Pick<Workspace, 'modelsFile' | 'submissions' | 'logs'>,
  settings: Partial<OrchestratorSettings> = {},
): Promise<Orchestrator> {
  return startOrchestrator({
    crunchId: 'starter-challenge',
    port: 0,
    modelsFile,
    submissionsDirectory: submissions,
    logsDirectory: logs,
    baseClassName: 'tracker.TrackerBase',
    runnerCommand: STAND_IN,
    // Tests identify processes by pid; in separate namespaces the pids would differ.
    confinement: { namespaces: 'off' },
    pollMs: 50,
    log: rememberingLog(),
    restart: { initialDelayMs: 10, maxDelayMs: 50, maxQuickFailures: 3 },
    ...settings,
  })
}

/** An entry of the models file. */
export function entry(id: string, submission: string, more: Readonly<Record<string, string>> = {}) {
  return { id, submission_id: submission, desired_state: 'RUNNING', ...more }
}
