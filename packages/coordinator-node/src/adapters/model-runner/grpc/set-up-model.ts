import { backOffMs, wait } from '@crunch/local-processes'
import type { FailureCode, SetupResponse } from '@crunch/model-protocol'
import { status } from '@grpc/grpc-js'
import type { ResolvedOptions } from './runner-options.ts'
import type { ModelTarget } from './security/channel-security.ts'
import { speaksTls } from './security/tls-probe.ts'
import { type ModelChannel, openModelChannel } from './transport/model-channel.ts'

export type SetUpResult =
  | { readonly kind: 'ready'; readonly channel: ModelChannel }
  /** The model was stopped or replaced during the set-up. */
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly reason: string }
  /** The model is at fault if any other model can be set up with these settings. Otherwise `setting` may be wrong. */
  | { readonly kind: 'doubtful'; readonly code: FailureCode; readonly reason: string; readonly setting: string }

/** The result of one attempt; after a `problem` another attempt is made. */
type Attempt = SetUpResult | Problem

interface Problem {
  readonly kind: 'problem'
  readonly problem: string
  /** The setting to change if the model is not at fault. */
  readonly setting?: string
  readonly code?: FailureCode
}

/**
 * Connects to a model and creates its instance, with several attempts: models are announced before they listen, and an
 * earlier Setup may still be running. Never rejects; leaves no connection behind unless the model is ready.
 */
export async function setUpModel(
  target: ModelTarget,
  options: ResolvedOptions,
  signal: AbortSignal,
): Promise<SetUpResult> {
  const channel = openModelChannel(target, options)
  const abandon = () => channel.close()
  signal.addEventListener('abort', abandon)
  const result = await attemptSetups(channel, target, options, signal)
  signal.removeEventListener('abort', abandon)
  if (result.kind !== 'ready') channel.close()
  return result
}

async function attemptSetups(
  channel: ModelChannel,
  target: ModelTarget,
  options: ResolvedOptions,
  signal: AbortSignal,
): Promise<SetUpResult> {
  let last: Problem = { kind: 'problem', problem: '' }
  for (let attempt = 0; attempt < options.setupAttempts; attempt += 1) {
    const backOff = { firstMs: options.setupBackoffMs, longestMs: Number.POSITIVE_INFINITY }
    if (attempt > 0) await wait(backOffMs(attempt, backOff), signal)
    if (signal.aborted) return { kind: 'aborted' }
    const result = await attemptSetup(channel, target, options)
    if (signal.aborted) return { kind: 'aborted' }
    if (result.kind !== 'problem') return result
    last = result
  }
  const { problem, setting, code = 'CONNECTION_FAILED' } = last
  const reason = `no Setup in ${options.setupAttempts} attempts: ${problem}`
  return setting === undefined ? { kind: 'failed', code, reason } : { kind: 'doubtful', code, reason, setting }
}

async function attemptSetup(channel: ModelChannel, target: ModelTarget, options: ResolvedOptions): Promise<Attempt> {
  if (!(await channel.whenReady(options.connectTimeoutMs, { failFast: false }))) {
    return explainNoConnection(channel, target, options)
  }
  const outcome = await channel.setup(options.baseClassName, options.setupTimeoutMs)
  if (outcome.kind === 'answered') return readSetup(outcome.response, channel)
  const { code, details } = outcome
  if (outcome.isUnproven) return { kind: 'failed', code: 'CONNECTION_FAILED', reason: details }
  if (options.credentials.mode === 'mutual TLS' && code === status.UNAUTHENTICATED) {
    const reason = `the model's runner does not accept the certificate of this node (SECURE_CERT_DIR): ${details}`
    return { kind: 'failed', code: 'CONNECTION_FAILED', reason }
  }
  if (code === status.DEADLINE_EXCEEDED) {
    return { kind: 'problem', problem: `Setup took longer than ${options.setupTimeoutMs} ms` }
  }
  return { kind: 'problem', problem: `Setup failed with ${status[code]}: ${details}` }
}

/** Time for a server to show whether it uses TLS. */
const PROBE_MS = 5_000

async function explainNoConnection(
  channel: ModelChannel,
  { ip, port }: ModelTarget,
  { credentials: { mode }, connectTimeoutMs }: ResolvedOptions,
): Promise<Attempt> {
  const problem = channel.connectionProblem()
  if (problem?.isFinal && mode !== 'insecure') {
    return { kind: 'failed', code: 'CONNECTION_FAILED', reason: `no connection in mode ${mode}: ${problem.text}` }
  }
  if (mode === 'insecure' && (await speaksTls(ip, port, Math.min(PROBE_MS, connectTimeoutMs)))) {
    return {
      kind: 'problem',
      problem: 'the model uses TLS, but this node connects in insecure mode',
      setting: 'SECURE_CERT_DIR (mutual TLS) or GATEWAY_CERT_DIR (gateway)',
    }
  }
  const why = problem === undefined ? '' : `: ${problem.text}`
  return { kind: 'problem', problem: `no connection within ${connectTimeoutMs} ms${why}` }
}

function readSetup(response: SetupResponse, channel: ModelChannel): Attempt {
  const code = response.status?.code ?? ''
  const reason = `Setup was answered with ${code || 'no status'}: ${response.status?.message || 'no message'}`
  switch (code) {
    case 'SUCCESS':
      return { kind: 'ready', channel }
    case 'INVALID_ARGUMENT':
      return { kind: 'problem', problem: reason, setting: 'MODEL_BASE_CLASSNAME', code: 'MULTIPLE_FAILED' }
    case 'BAD_IMPLEMENTATION':
      return { kind: 'failed', code, reason }
    default:
      return { kind: 'failed', code: 'MULTIPLE_FAILED', reason }
  }
}
