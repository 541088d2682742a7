import { wait } from '@crunch/local-processes'
import {
  CHANNEL_OPTIONS,
  DynamicSubclassServiceClient,
  HealthCheckRequest,
  HealthClient,
  ServingStatus,
  type SetupResponse,
  setupRequest,
} from '@crunch/model-protocol'
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

export interface ProbeLimits {
  /** The time limit of one call. */
  readonly answerMs: number
  /** A model that is busy for this long hangs: deployed coordinators wait 60 s for an answer. */
  readonly busyMs: number
  readonly pauseMs: number
}

export const DEFAULT_PROBE_LIMITS: ProbeLimits = { answerMs: 5_000, busyMs: 65_000, pauseMs: 1_000 }

/** The result of probing a model that a coordinator reported. */
export interface ProbeResult {
  /** Whether the probe found a fault. */
  readonly isConfirmed: boolean
  /** Whether it was busy or silent for longer than any coordinator waits. */
  readonly hangs: boolean
  /** The result as text. */
  readonly finding: string
}

type Answer =
  | { readonly kind: 'fine' }
  | { readonly kind: 'broken'; readonly finding: string }
  /** The model works on another call, or is silent. */
  | { readonly kind: 'busy' }

/**
 * Checks that a model serves and can be set up. A repeated Setup changes nothing; if another call is running, it fails at once with
 * "busy". A model that stays busy or silent for `busyMs` hangs. Each check counts only up to its own time limit, so time in which this
 * process was suspended does not count against the model. Never rejects.
 */
export async function probeModel(
  address: string,
  baseClassName: string,
  limits: ProbeLimits,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const health = new HealthClient(address, credentials.createInsecure(), CHANNEL_OPTIONS)
  const model = new DynamicSubclassServiceClient(address, credentials.createInsecure(), CHANNEL_OPTIONS)
  const longestLookMs = 2 * limits.answerMs + limits.pauseMs
  let busyMs = 0
  try {
    for (;;) {
      const lookedAtMs = performance.now()
      const answer = await ask(health, model, baseClassName, limits.answerMs)
      if (answer.kind === 'fine') return { isConfirmed: false, hangs: false, finding: 'it serves and can be set up' }
      if (answer.kind === 'broken') return { isConfirmed: true, hangs: false, finding: answer.finding }
      await wait(limits.pauseMs, signal)
      busyMs += Math.min(performance.now() - lookedAtMs, longestLookMs)
      if (signal.aborted) return { isConfirmed: false, hangs: false, finding: 'the probe was aborted' }
      if (busyMs >= limits.busyMs) {
        return { isConfirmed: true, hangs: true, finding: `it was busy or silent for ${limits.busyMs} ms` }
      }
    }
  } finally {
    health.close()
    model.close()
  }
}

async function ask(
  health: HealthClient,
  model: DynamicSubclassServiceClient,
  baseClassName: string,
  answerMs: number,
): Promise<Answer> {
  const deadline = () => ({ deadline: Date.now() + answerMs })
  const serving = await new Promise<Answer>((resolve) => {
    health.check(HealthCheckRequest.create(), new Metadata(), deadline(), (error, response) => {
      if (error === null && response.status === ServingStatus.SERVING) resolve({ kind: 'fine' })
      else if (error?.code === status.DEADLINE_EXCEEDED) resolve({ kind: 'busy' })
      else
        resolve({
          kind: 'broken',
          finding: `it does not serve: ${error?.details ?? ServingStatus[response?.status ?? 0]}`,
        })
    })
  })
  if (serving.kind !== 'fine') return serving
  return new Promise((resolve) => {
    model.setup(setupRequest(baseClassName), new Metadata(), deadline(), (error, response) =>
      resolve(error === null ? readSetup(response) : readError(error)),
    )
  })
}

/** Codes that mean that the setup failed. Other codes mean nothing: some runners send none. */
const refusals = new Set(['BAD_IMPLEMENTATION', 'SETUP_FAILED', 'INVALID_ARGUMENT'])

function readSetup({ status: answered }: SetupResponse): Answer {
  if (!refusals.has(answered?.code ?? '')) return { kind: 'fine' }
  return { kind: 'broken', finding: `it cannot be set up: ${answered?.code}: ${answered?.message}` }
}

function readError({ code, details }: ServiceError): Answer {
  if (code === status.DEADLINE_EXCEEDED || code === status.RESOURCE_EXHAUSTED) return { kind: 'busy' }
  // The model serves and uses another setup method.
  if (code === status.UNIMPLEMENTED) return { kind: 'fine' }
  return { kind: 'broken', finding: `it cannot be set up: ${details}` }
}
