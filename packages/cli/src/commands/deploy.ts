import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliError, ReportedFailure } from '../cli-error.ts'
import { awaitOrchestrator } from '../deploy/await-orchestrator.ts'
import type { DeployRequest } from '../deploy/deployment-plan.ts'
import { writeDevEnvironment } from '../deploy/dev-environment.ts'
import { followLeaderboard, showCheckpoint, waitForCheckpoint, watchServices } from '../deploy/follow-replay.ts'
import { type PreparedDeployment, prepareDeployment } from '../deploy/prepare-deployment.ts'
import { openStartView } from '../deploy/show-start.ts'
import { DeploymentFailure, reportFailure, type WatchInput, waitUntilReady } from '../deploy/watch-start.ts'
import { storedOutcome } from '../engine.ts'
import { openModels } from '../models/open-models.ts'
import { withStoredResults } from '../node-store.ts'
import { nodeKey } from '../report-api/node-key.ts'
import { ReportClient } from '../report-api/report-client.ts'
import { selfCommand } from '../self-command.ts'
import { askSupervisor } from '../supervisor/control.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { alreadyRunning, readLiveSupervisor } from '../supervisor/supervisor-record.ts'
import { countOf, isWholeEmission } from '../tables.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace } from '../workspace.ts'
import { beginEraFor } from './new-era.ts'

/** A start, or a replay with `--once`, has failed if nothing changes for this long. */
const patienceMs = 60_000

/** Deploys a competition: in the foreground until Ctrl-C (with `once` until the first checkpoint), or in the background. */
export async function deploy(
  request: DeployRequest & { readonly detach: boolean; readonly newEra: boolean },
  terminal: Terminal,
): Promise<void> {
  if (request.detach && request.once) {
    throw new CliError({
      place: 'crunch deploy --detach --once',
      cause: '--once waits for the end of the replay',
      fix: 'remove one of the two options',
    })
  }
  const running = await readLiveSupervisor(findWorkspace(terminal.cwd).stateDirectory)
  if (running !== undefined) throw alreadyRunning(running)
  const prepared = await prepareDeployment(request, terminal)
  if (prepared.otherOrchestrator !== null && prepared.dev === undefined) {
    if (!(await awaitOrchestrator(prepared.otherOrchestrator, terminal))) throw endedEarly()
  }
  if (request.newEra) await beginEraFor(request, terminal)
  if (request.detach) await deployDetached(request, prepared, terminal)
  else await deployHere(request, prepared, terminal)
}

/** Runs a deployment in this process until Ctrl-C, or until `crunch down` in another terminal. */
export async function deployHere(
  request: Pick<DeployRequest, 'once'>,
  prepared: PreparedDeployment,
  terminal: Terminal,
): Promise<void> {
  const supervisor = await Supervisor.open(prepared.supervisor)
  const down = new AbortController()
  void supervisor.downRequested.then(() => down.abort())
  try {
    const input = watchInput(prepared, endedBy(down.signal, terminal), async () => supervisor.status().services)
    await orReport(input, async () => {
      if (!(await showStart(input))) {
        if (request.once) throw endedEarly()
        return
      }
      await announce(prepared, terminal)
      if (prepared.dev !== undefined) await watchServices(input)
      else if (request.once) await runOnce(input)
      else await followLeaderboard(input)
    })
  } finally {
    if (!request.once) terminal.err('Stopping every process of the deployment ...')
    await supervisor.stop()
  }
}

/** With `--once`, an end before the first checkpoint is a failure: scripts rely on the exit code. */
function endedEarly(): ReportedFailure {
  return new ReportedFailure('ended by the operator')
}

/** The terminal with a second signal that also ends a wait. */
function endedBy(signal: AbortSignal, terminal: Terminal): Terminal {
  return { ...terminal, signal: AbortSignal.any([terminal.signal, signal]) }
}

async function runOnce(input: WatchInput): Promise<void> {
  const checkpoint = await waitForCheckpoint(input)
  if (checkpoint === undefined) throw endedEarly()
  await showCheckpoint(input, checkpoint)
  if (!isWholeEmission(checkpoint)) throw new ReportedFailure('the emission is not exact')
}

/** Starts the supervisor as a background process, and waits until all services serve. */
async function deployDetached(request: DeployRequest, prepared: PreparedDeployment, terminal: Terminal): Promise<void> {
  const { workspace } = prepared
  mkdirSync(workspace.logDirectory, { recursive: true })
  const outputPath = join(workspace.logDirectory, 'supervisor.out')
  const output = openSync(outputPath, 'w')
  const program = selfCommand(['supervise', ...replayArguments(request)])
  const child = spawn(program.command, [...program.args], {
    cwd: terminal.cwd,
    env: { ...terminal.env },
    detached: true,
    stdio: ['ignore', output, output],
    windowsHide: true,
  })
  closeSync(output)
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown reason'))
    child.once('error', (error) => resolve(error.message))
  })
  const hasEnded = exited.then((how) => {
    throw new CliError({
      place: 'crunch supervise',
      cause: `the supervisor ended (${how}): ${readFileSync(outputPath, 'utf8').trim().slice(-2_000)}`,
      fix: 'see crunch logs supervisor',
    })
  })
  const givenUp = new AbortController()
  const input = watchInput(prepared, endedBy(givenUp.signal, terminal), async () => {
    const record = await readLiveSupervisor(workspace.stateDirectory)
    if (record === undefined || record.pid !== child.pid) return startingServices
    try {
      return (await askSupervisor(record.socketPath, { command: 'status' })).services
    } catch (error) {
      // The supervisor does not listen yet. If it never does, the wait reports no progress.
      if (error instanceof CliError) return startingServices
      throw error
    }
  })
  const shown = showStart(input)
  try {
    const isReady = await orReport(input, () => Promise.race([shown, hasEnded]))
    if (!isReady) throw endedEarly()
  } catch (error) {
    // A deployment that failed to start is ended, not left running.
    givenUp.abort()
    child.kill('SIGTERM')
    // Both promises may reject, one of them with the error that is rethrown below.
    await Promise.allSettled([exited, shown])
    throw error
  }
  child.unref()
  await announce(prepared, terminal)
  terminal.out('It runs in the background: crunch status, crunch logs -f, crunch down')
}

/** The state of the services while the supervisor itself starts. */
const startingServices = [
  {
    name: 'supervisor',
    state: 'starting',
    pid: null,
    startedAt: null,
    readyAt: null,
    restarts: 0,
    lastError: null,
    lastErrorAt: null,
    nextStartAt: null,
    lastEvent: null,
  },
] as const

function replayArguments(request: DeployRequest): readonly string[] {
  if (request.dev === true) return ['--dev']
  if (request.replay === undefined) return []
  const speed = request.speed === undefined ? [] : ['--speed', String(request.speed)]
  return ['--replay', ...request.replay, ...speed, ...(request.resume ? ['--resume'] : [])]
}

function watchInput(prepared: PreparedDeployment, terminal: Terminal, look: WatchInput['look']): WatchInput {
  const { workspace, settings } = prepared
  const client = new ReportClient(prepared.apiUrl, () => nodeKey(workspace, settings))
  return {
    look,
    client,
    logDirectory: workspace.logDirectory,
    terminal,
    since: Date.now(),
    patienceMs,
    hasApi: prepared.dev === undefined,
    async models() {
      const { orchestrator, settings } = await openModels(terminal)
      return orchestrator.models(settings.crunchId)
    },
    outcome: () => withStoredResults(terminal, true, ({ store }) => storedOutcome(store, Date.now())),
  }
}

async function showStart(input: WatchInput): Promise<boolean> {
  const view = await openStartView(input.terminal)
  let isReady = false
  try {
    isReady = await waitUntilReady(input, (services) => view.update(services))
    return isReady
  } finally {
    await view.close(isReady)
  }
}

/** Runs `action`; shows a failed deployment with the log of the service that failed. */
async function orReport<Value>(input: WatchInput, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof DeploymentFailure) return await reportFailure(error, input)
    throw error
  }
}

async function announce({ apiUrl, settings, replay, dev }: PreparedDeployment, terminal: Terminal): Promise<void> {
  if (dev !== undefined) {
    terminal.out('The database and the models run. Start the workers from an IDE with the same file, or with:')
    for (const line of await writeDevEnvironment(dev)) terminal.out(`  ${line}`)
    return
  }
  const what =
    replay === undefined ? 'live' : `replaying ${countOf(replay.files.length, 'file')} at ${speedText(replay.speed)}`
  terminal.out(`The competition runs, ${what}. Report API: ${apiUrl}/reports/leaderboard`)
  const also = settings.pagePort === undefined ? '' : ` and http://127.0.0.1:${settings.pagePort}/`
  terminal.out(`Page: ${apiUrl}/${also}`)
}

function speedText(speed: number | 'max'): string {
  return speed === 'max' ? 'full speed' : `${speed} times real time`
}
