import { MAX_MESSAGE_BYTES } from '@crunch/model-protocol'
import { type AnswerLimits, answerLimits } from '../../../domain/answer-size.ts'
import { CrunchError } from '../../../domain/errors.ts'
import type { Log } from '../../../ports/log.ts'
import { type StallWatch, startStallWatch } from '../stall-watch.ts'
import type { ModelCredentials } from './security/model-credentials.ts'

export interface ModelRunnerLimits {
  /** Time limit of one Setup attempt. */
  readonly setupTimeoutMs: number
  /** Time limit of one attempt to connect to the orchestrator or to a model. */
  readonly connectTimeoutMs: number
  /** Attempts to connect to a model and set it up before it is reported. */
  readonly setupAttempts: number
  /** Pause between the first two Setup attempts; doubles each time. */
  readonly setupBackoffMs: number
  /** Pause before a model is retried that cannot be set up while no other model is set up either. */
  readonly doubtMs: number
  /**
   * The largest accepted answer, in bytes; at most 64 MiB. Receiving takes about 10 ms per MiB. The default is the limit of
   * deployed coordinators.
   */
  readonly maxOutputBytes: number
  /** Memory for large answers of all models together, in bytes; at least four times `maxOutputBytes`. */
  readonly maxHeldBytes: number
  /** Dispatches that may wait for one model, besides the current one. */
  readonly queueLimit: number
  /** Consecutive failing calls that are tolerated; one more, and the model is reported and no longer called. 0 means no limit. */
  readonly failureLimit: number
  /** The same for consecutive dispatches with a time-out or without a connection. 0 means no limit. */
  readonly timeoutLimit: number
  /** A model silent for this long, over at least 10 dispatches, is reported before it reaches `timeoutLimit`. 0 means no limit. */
  readonly silenceLimitMs: number
  /** Interval of pings to the orchestrator, and the time limit for a pong. */
  readonly keepaliveMs: number
  /** Pause before the first attempt to reconnect to the orchestrator; doubles each time, with jitter. */
  readonly reconnectMs: number
  /** The longest pause between attempts to reach the orchestrator. */
  readonly maxReconnectMs: number
  /** The longest that `settled` waits. */
  readonly settleTimeoutMs: number
}

export interface ModelRunnerOptions extends Partial<ModelRunnerLimits> {
  /** Where the model orchestrator's discovery socket is. */
  readonly host: string
  readonly port: number
  /** The competition whose models are wanted. */
  readonly crunchId: string
  /** Dotted name of the class that models extend, e.g. `tracker.TrackerBase`. */
  readonly baseClassName: string
  readonly log: Log
  /** How models are reached; insecure when absent. */
  readonly credentials?: ModelCredentials
  /** Limits on the content of a decoded answer; the contract default when absent. */
  readonly answerLimits?: AnswerLimits
  /** Detects stalls of this process; a watch on the machine's clocks when absent. */
  readonly stalls?: StallWatch
  /** Monotonic clock for the limits of excuses; that of the process when absent. */
  readonly nowMs?: () => number
  /**
   * Reads the orchestrator's key at each connection; `undefined` if there is none. The key identifies this node as the
   * coordinator in charge, whose failure reports count for more.
   */
  readonly orchestratorKey?: () => string | undefined
  /** Called with the setting that may be wrong when no model could be set up so far; the problem is logged in any case. */
  readonly onFatal?: (error: CrunchError) => void
}

export interface ResolvedOptions extends ModelRunnerLimits {
  readonly host: string
  readonly port: number
  readonly crunchId: string
  readonly baseClassName: string
  readonly log: Log
  readonly credentials: ModelCredentials
  readonly answerLimits: AnswerLimits
  readonly stalls: StallWatch
  readonly nowMs: () => number
  readonly orchestratorKey: () => string | undefined
  readonly onFatal: (error: CrunchError) => void
}

const defaults = {
  setupTimeoutMs: 60_000,
  connectTimeoutMs: 10_000,
  setupAttempts: 5,
  setupBackoffMs: 2_000,
  doubtMs: 30_000,
  maxOutputBytes: 4 * 1024 * 1024,
  maxHeldBytes: 512 * 1024 * 1024,
  queueLimit: 64,
  failureLimit: 100,
  timeoutLimit: 100,
  silenceLimitMs: 30 * 60_000,
  keepaliveMs: 20_000,
  reconnectMs: 250,
  maxReconnectMs: 10_000,
} as const

/** Limits that must not be 0. */
const positive = [
  'setupTimeoutMs',
  'connectTimeoutMs',
  'setupAttempts',
  'maxOutputBytes',
  'keepaliveMs',
  'reconnectMs',
] as const

/** Fills in the defaults. Throws `SETTINGS_INVALID` with the setting, what is wrong and what to write instead. */
export function resolveOptions(options: ModelRunnerOptions): ResolvedOptions {
  const { host, port, crunchId, baseClassName } = options
  if (host.trim() === '') throw invalid('the host of the model orchestrator is empty: name it, e.g. localhost')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw invalid(`${port} is not a port of a model orchestrator: give a number from 1 to 65535, usually 9091`)
  }
  if (!/^[^\s/?#]+$/.test(crunchId)) {
    throw invalid(`"${crunchId}" is not a competition id: it must not be empty or contain spaces or any of / ? #`)
  }
  if (!/^[^\s.]+(\.[^\s.]+)+$/.test(baseClassName)) {
    throw invalid(`"${baseClassName}" is not a base class: write module.ClassName, e.g. tracker.TrackerBase`)
  }
  const limits = { ...defaults, ...withoutAbsent(options) }
  for (const name of positive) {
    if (!(limits[name] > 0)) throw invalid(`${name} is ${limits[name]}: it must be more than 0`)
  }
  if (limits.maxOutputBytes > MAX_MESSAGE_BYTES) {
    throw invalid(`maxOutputBytes is ${limits.maxOutputBytes}: models can send at most ${MAX_MESSAGE_BYTES}`)
  }
  if (!(limits.maxHeldBytes >= 4 * limits.maxOutputBytes)) {
    throw invalid(`maxHeldBytes is ${limits.maxHeldBytes}: it must be at least 4 times maxOutputBytes`)
  }
  const settleTimeoutMs = options.settleTimeoutMs ?? limits.connectTimeoutMs + limits.setupTimeoutMs
  return {
    ...limits,
    settleTimeoutMs,
    credentials: options.credentials ?? { mode: 'insecure' },
    answerLimits: options.answerLimits ?? answerLimits(),
    stalls: options.stalls ?? startStallWatch(),
    nowMs: options.nowMs ?? (() => performance.now()),
    orchestratorKey: options.orchestratorKey ?? (() => undefined),
    onFatal: options.onFatal ?? (() => {}),
  }
}

function withoutAbsent(options: ModelRunnerOptions): ModelRunnerOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as ModelRunnerOptions
}

function invalid(message: string): CrunchError {
  return new CrunchError('SETTINGS_INVALID', message)
}
