import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import type { Confinement, Placement } from '../confine/confinement.ts'
import { limitStart } from '../limit/limit-start.ts'
import type { UsageWatch, WatchedModel } from '../limit/watch-usage.ts'
import type { OrchestratorLog } from '../log.ts'
import { captureOutput } from '../logs/capture-output.ts'
import { type LogLimits, openRunLog, RUN_ENDED, type RunLog } from '../logs/run-log.ts'
import type { ModelEntry } from '../models-file/models-file.ts'
import { type PreparationResources, prepareSubmission } from '../prepare/prepare-submission.ts'
import type { PreparedSubmission } from '../prepare/prepared-submission.ts'
import { modelEnvironment } from '../process/model-environment.ts'
import type { ProcessGuard } from '../process/process-guard.ts'
import type { StartQueue } from '../process/start-queue.ts'
import { RunFailure } from '../run-failure.ts'
import { inspectSubmission, type SubmissionLanguage } from '../submission/submission.ts'
import { awaitServing } from './await-serving.ts'
import { explainReport, withoutDirectories } from './explain-failure.ts'
import { type ModelProcess, type ProcessEnd, spawnModelProcess } from './model-process.ts'

/** The dependencies that all runs share. */
export interface RunResources {
  /** Additional environment variables of every model. */
  readonly modelEnvironment: Readonly<Record<string, string>>
  readonly submissionsDirectory: string
  readonly logsDirectory: string | undefined
  readonly logLimits: LogLimits
  readonly preparation: PreparationResources
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly confinement: Confinement
  readonly queue: StartQueue
  readonly guard: ProcessGuard
  readonly usage: UsageWatch
  readonly log: OrchestratorLog
}

/** The announced address of a serving run, and the address at which this process reaches it. */
export type ServingPlace = Pick<Placement, 'address' | 'target'>

/** One run of a model, from its preparation until all its processes have ended. */
export class ModelRun {
  readonly deploymentId: string
  readonly entry: ModelEntry
  /** Resolves with the runner's addresses when it serves; rejects with the failure after a failed start is cleaned up. */
  readonly serving: Promise<ServingPlace>
  /** Resolves with the reason of the end once the process is gone and its log is closed; never rejects. */
  readonly ended: Promise<RunFailure>
  readonly #resources: RunResources
  readonly #runLog: RunLog
  readonly #stopping = new AbortController()
  #process: ModelProcess | null = null
  #watched: WatchedModel | null = null
  #placement: Placement | null = null
  #language: SubmissionLanguage | null = null
  /** The folders of the running code and of the submission, if these differ. */
  #directories: readonly string[]
  #isServing = false
  #isStopped = false

  constructor(entry: ModelEntry, deploymentId: string, resources: RunResources) {
    this.entry = entry
    this.deploymentId = deploymentId
    this.#resources = resources
    this.#directories = [join(resources.submissionsDirectory, entry.submissionId)]
    const { logsDirectory: directory, logLimits: limits, log } = resources
    this.#runLog = openRunLog({ directory, modelId: entry.id, deploymentId, limits, log })
    let onServing: (place: ServingPlace) => void = () => undefined
    const served = new Promise<ServingPlace>((resolve) => {
      onServing = resolve
    })
    this.ended = this.#live(onServing)
    this.serving = Promise.race([served, this.ended.then((failure) => Promise.reject(failure))])
    // A caller that stops a run early does not await `serving`; its rejection must not stay unhandled.
    this.serving.catch(() => undefined)
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  get port(): number | null {
    return this.#placement?.address.port ?? null
  }

  /** Null until the submission has been inspected. */
  get language(): SubmissionLanguage | null {
    return this.#language
  }

  /** The limits in force for the process and those that could not be enforced, as text. */
  get confinement(): readonly string[] {
    return this.#process === null ? [] : [...this.#resources.usage.words, ...this.#resources.confinement.words]
  }

  /** Rewords a coordinator's report about this run for the author. */
  explain(reason: string): string {
    const isPython = this.#language === 'python' || this.#language === 'notebook'
    return explainReport(reason, { directories: this.#directories, isPython, errorLines: this.#runLog.errorLines() })
  }

  /** Ends the run; `reason` goes to its log. Resolves once all its processes have ended. */
  async stop(reason: string): Promise<void> {
    this.#isStopped = true
    this.#stopping.abort(new RunFailure('RUN_FAILED', reason))
    await this.ended
  }

  async #live(onServing: (place: ServingPlace) => void): Promise<RunFailure> {
    let failure: RunFailure
    try {
      failure = await this.#startAndServe(onServing)
    } catch (error) {
      failure = error instanceof RunFailure ? error : new RunFailure('RUN_FAILED', errorText(error), { cause: error })
    }
    failure = this.#inWordsForAuthor(failure)
    await this.#placement?.remove()
    const message = `${RUN_ENDED}${failure.message}`
    await this.#runLog.append([{ message, error: !this.#isStopped, emitter: 'service' }])
    await this.#runLog.close()
    return failure
  }

  async #startAndServe(onServing: (place: ServingPlace) => void): Promise<RunFailure> {
    const { queue, confinement } = this.#resources
    const prepared = await this.#prepare()
    const endTurn = await queue.enter(this.#stopping.signal)
    try {
      const placement = await confinement.place(prepared)
      this.#placement = placement
      this.#stopping.signal.throwIfAborted()
      const child = await this.#spawn(prepared, placement)
      const output = captureOutput({
        stdout: child.stdout,
        stderr: child.stderr,
        runLog: this.#runLog,
        limits: this.#resources.logLimits,
        onFlood: () => this.#endFlood(),
      })
      try {
        await this.#untilServing(child, placement)
        endTurn()
        this.#isServing = true
        this.#watched?.setServing()
        onServing(placement)
        return await this.#untilEnd(child)
      } finally {
        await this.#terminate(child)
        await this.#watched?.end()
        await output.finish()
      }
    } finally {
      endTurn()
    }
  }

  async #prepare(): Promise<PreparedSubmission> {
    const { submissionsDirectory, preparation } = this.#resources
    const submission = await inspectSubmission(join(submissionsDirectory, this.entry.submissionId))
    this.#language = submission.language
    const { resourceId } = this.entry
    const { signal } = this.#stopping
    const prepared = await prepareSubmission(submission, resourceId, preparation, signal, (message, error) => {
      void this.#runLog.append([{ message, error, emitter: 'builder' }])
    })
    this.#directories = [...new Set([prepared.directory, submission.directory])]
    return prepared
  }

  async #spawn(prepared: PreparedSubmission, placement: Placement): Promise<ModelProcess> {
    const { directory, isInShell } = placement
    const { guard, usage, modelEnvironment: more } = this.#resources
    const program = usage.starting(placement)
    const { command, args } = program
    const own = { ...more, ...prepared.environment, ...placement.environment }
    const environment = modelEnvironment(process.env, own)
    this.#process = await spawnModelProcess({ command, args, directory, environment, isInShell, guard }).catch(
      (error) => {
        program.group.remove()
        throw error
      },
    )
    this.#watched = usage.watch(this.#process.pid, (reason) => this.#endOver(reason), program)
    return this.#process
  }

  /** Resolves when the runner serves and its socket is sealed; rejects if the process ends, is stopped or takes too long. */
  async #untilServing(child: ModelProcess, placement: Placement): Promise<void> {
    const { startTimeoutMs } = this.#resources
    const over = new AbortController()
    const endLimit = limitStart({
      limitMs: startTimeoutMs,
      waitedMs: () => this.#watched?.waitedMs() ?? 0,
      onOver: (reason) => over.abort(new RunFailure('RUN_FAILED', reason)),
    })
    child.ended.then((end) => over.abort(new RunFailure('RUN_FAILED', this.#describeEnd(end, 'before it served'))))
    const signal = AbortSignal.any([over.signal, this.#stopping.signal])
    const asked = awaitServing(placement.target, signal).then(() => placement.seal(child.pid))
    try {
      await Promise.race([asked, rejectOnAbort(signal)])
    } catch (error) {
      // Sealing fails for a killed process too; then the reason of the kill is the cause.
      signal.throwIfAborted()
      throw error
    } finally {
      endLimit()
    }
  }

  /** Resolves with the failure if the process ends by itself; rejects if it is stopped. */
  async #untilEnd(child: ModelProcess): Promise<RunFailure> {
    const end = await Promise.race([child.ended, rejectOnAbort(this.#stopping.signal)])
    return new RunFailure('STOP_UNEXPECTED', this.#describeEnd(end, 'while it served'))
  }

  #describeEnd(end: ProcessEnd, when: string): string {
    const over = this.#watched?.overByItself() ?? null
    if (over !== null) return `was stopped because it ${over}`
    const text = `${end.signal === null ? `exited with code ${end.code}` : `was ended by ${end.signal}`} ${when}`
    if (this.#watched?.wasKilledForOthers() !== true) return text
    return `${text}: not the model, but the machine or a parent control group was out of memory; run fewer models, or add memory`
  }

  /** Adds the last lines of stderr, which show the cause, and makes paths relative to the submission. */
  #inWordsForAuthor(failure: RunFailure): RunFailure {
    const tail = this.#runLog.errorTail()
    // A BUILD_FAILED message already ends with the installer's output.
    const isComplete = tail === '' || failure.code === 'BUILD_FAILED' || this.#stopping.signal.aborted
    const text = isComplete ? failure.message : `${failure.message}; last lines of stderr: ${tail}`
    const message = withoutDirectories(text, { directories: this.#directories })
    return new RunFailure(failure.code, message, { cause: failure })
  }

  async #terminate(child: ModelProcess): Promise<void> {
    if (await child.terminate(this.#resources.stopTimeoutMs)) return
    const { pid } = child
    this.#resources.log.error('process of a model survived SIGKILL', { modelId: this.entry.id, pid })
  }

  #endFlood(): void {
    const { floodBytesPerSecond } = this.#resources.logLimits
    this.#endOver(`printed more than ${floodBytesPerSecond} bytes a second; print less`)
  }

  /** Ends a model that exceeds a limit; `over` names the limit and the fix. */
  #endOver(over: string): void {
    const code = this.#isServing ? 'STOP_UNEXPECTED' : 'RUN_FAILED'
    this.#stopping.abort(new RunFailure(code, `was stopped because it ${over}`))
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
