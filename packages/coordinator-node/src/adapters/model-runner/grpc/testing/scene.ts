import type { ModelState } from '@crunch/model-protocol'
import type { JsonObject } from '../../../../domain/json/json.ts'
import type { ModelIdentity } from '../../../../domain/models/model.ts'
import type { Log } from '../../../../ports/log.ts'
import type { ModelAnswer, ModelCall } from '../../../../ports/model-runner.ts'
import { noStalls } from '../../stall-watch.ts'
import { connectModelRunner, type GrpcModelRunner } from '../connect-model-runner.ts'
import type { ModelRunnerOptions } from '../runner-options.ts'
import { type FakeOrchestrator, runningState, startFakeOrchestrator } from './fake-orchestrator.ts'
import { type ObjectServer, type ObjectServerOptions, serveObject } from './object-server.ts'

export interface LogLine {
  readonly level: keyof Log
  readonly message: string
  readonly fields: JsonObject
}

/** An orchestrator, models and a runner; `close` ends them all. */
export interface Scene {
  readonly orchestrator: FakeOrchestrator
  readonly lines: readonly LogLine[]
  /** The log lines with that message. */
  logged(message: string): readonly LogLine[]
  serve(model: object, options?: ObjectServerOptions): Promise<ObjectServer>
  connect(options?: Partial<ModelRunnerOptions>): Promise<GrpcModelRunner>
  onClose(end: () => unknown): void
  close(): Promise<void>
}

export async function openScene(): Promise<Scene> {
  const orchestrator = await startFakeOrchestrator()
  const lines: LogLine[] = []
  const endings: (() => unknown)[] = [() => orchestrator.close()]
  return {
    orchestrator,
    lines,
    logged: (wanted) => lines.filter(({ message }) => message === wanted),
    async serve(model, options) {
      const server = await serveObject(model, options)
      endings.push(() => server.crash())
      return server
    },
    async connect(options = {}) {
      const runner = await connectModelRunner({
        host: '127.0.0.1',
        port: orchestrator.port,
        crunchId: 'next-move',
        baseClassName: 'tracker.TrackerBase',
        log: recordingLog(lines),
        reconnectMs: 20,
        setupBackoffMs: 20,
        // Stalls of a busy machine must not excuse the models of a test.
        stalls: noStalls,
        ...options,
      })
      endings.push(() => runner.close())
      await runner.settled()
      return runner
    },
    onClose: (end) => endings.push(end),
    async close() {
      for (const end of endings.splice(0).reverse()) await end()
    },
  }
}

export function stateOf(id: string, port: number, changes: Partial<ModelState> = {}): ModelState {
  return runningState(identityOf(id), port, changes)
}

export function identityOf(id: string): ModelIdentity {
  return { id, name: `model ${id}`, deploymentId: `${id}_1`, cruncherId: `cruncher-${id}`, cruncherName: 'Ada' }
}

export function call(method: string, ...texts: readonly string[]): ModelCall {
  return { method, arguments: texts.map((value) => ({ type: 'STRING', value })) }
}

/** The answers by model id. */
export async function ask(
  runner: GrpcModelRunner,
  calls: readonly ModelCall[],
  timeoutMs = 10_000,
): Promise<Readonly<Record<string, readonly ModelAnswer[]>>> {
  const all = await runner.dispatch(calls, timeoutMs)
  return Object.fromEntries(all.map(({ modelId, answers }) => [modelId, answers]))
}

function recordingLog(lines: LogLine[]): Log {
  const record =
    (level: keyof Log) =>
    (message: string, fields: JsonObject = {}) => {
      lines.push({ level, message, fields })
    }
  return { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') }
}
